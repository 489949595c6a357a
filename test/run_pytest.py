"""Runs pytest for lit: %pytest.

Tests here start tens of thousands of processes. On a virtual machine whose memory
was being reclaimed, exec has failed with EFAULT about once in that many, whatever it
was to start; such a process is started once more. No other failure is repeated.
"""

import errno
import subprocess
import sys

import pytest

_start = subprocess.Popen.__init__


def _start_again(self, *arguments, **options):
    try:
        _start(self, *arguments, **options)
    except OSError as error:
        if error.errno != errno.EFAULT:
            raise
        print(f"starting again after: {error}", file=sys.stderr)
        _start(self, *arguments, **options)


if __name__ == "__main__":
    subprocess.Popen.__init__ = _start_again
    del sys.path[0]  # this folder
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "--tb=short", *sys.argv[1:]]))
