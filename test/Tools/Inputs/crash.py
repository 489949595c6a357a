"""Ends a tool by a signal while it reads, and prints what it says."""

import os
import signal
import subprocess
import sys

signal_name, *command = sys.argv[1:]
environment = {**os.environ, "LLVM_DISABLE_SYMBOLIZATION": "1"}
with subprocess.Popen(
    command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
) as tool:
    # More than a pipe holds: when this is done, the tool reads.
    tool.stdin.write(b" " * (1 << 20))
    tool.stdin.flush()
    tool.send_signal(getattr(signal, signal_name))
    sys.stdout.write(tool.stderr.read().decode())
assert tool.returncode == -getattr(signal, signal_name), tool.returncode
