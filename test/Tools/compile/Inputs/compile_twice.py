"""Compiles examples twice, the first for every target and the others for one of each
kind; no byte may differ, of packages and, for one chip and for CPUs, of what the
pipelines leave."""

import pathlib
import re
import subprocess
import sys


def run(tool, *arguments, expect=0):
    done = subprocess.run([tool, *arguments], capture_output=True)
    assert done.returncode == expect, done.stderr.decode()
    return done.stdout if expect == 0 else done.stderr.decode()


def known_targets(example):
    """From the message, so that no target is forgotten here."""
    message = run("sparse-attn-compile", example, "--target=x", "-o", "none", expect=1)
    targets = re.findall(r"sm_\w+|x86-64-v\d", message)
    assert len(targets) > 9, message
    return targets


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def compare(what, first, second):
    assert first == second, f"{what} differs from run to run"


examples, scratch = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
for name in sys.argv[3:]:
    example = examples / f"{name}.mlir"
    targets = known_targets(example)
    if name != sys.argv[3]:
        targets = [target for target in targets if target in ("sm_90", "x86-64-v3")]
        assert len(targets) == 2
    packages = [scratch / f"{name}-{i}" for i in range(2)]
    for package in packages:
        run(
            "sparse-attn-compile", example, "--target=" + ",".join(targets), "-o", package,
            "--emit=ptx,manifest,header,host",
        )
    first, second = map(contents, packages)
    assert len(first) >= 2 * len(targets) - 1
    compare(name, first, second)
    for pipeline in ["nvvm-pipeline=chip=sm_90", "cpu-pipeline"]:
        texts = [run("sparse-attn-opt", example, f"--sparse-attn-{pipeline}") for _ in range(2)]
        assert b"InMs" not in texts[0]
        compare(f"{name} by {pipeline}", *texts)
