"""Compiles every example to a package and checks it."""

import pathlib
import subprocess
import sys

inputs = pathlib.Path(__file__).parent
examples, scratch = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])

count = 0
for example in sorted(examples.glob("*.mlir")):
    package = scratch / example.stem
    subprocess.run(
        ["sparse-attn-compile", example, "--target=sm_80", "-o", package]
        + ["--emit=ptx,manifest,header"],
        check=True,
    )
    for check in (["check_ptx.py"], ["check_formulas.py", scratch]):
        script, *rest = check
        subprocess.run([sys.executable, inputs / script, package, *rest], check=True)
    count += 1
assert count > 0
