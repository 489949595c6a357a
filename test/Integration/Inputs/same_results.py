"""Runs one function of several files, and compares the results with the first's.

    same_results.py FUNCTION FILE OTHER[:DEVICE]...
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def run(function, file, device="cpu"):
    with tempfile.TemporaryDirectory() as directory:
        paths = [Path(directory) / name for name in ("o.npy", "lse.npy")]
        outputs = [f"--output={path}" for path in paths]
        subprocess.run(
            ["sparse-attn-run", file, f"--entry={function}", f"--device={device}"]
            + outputs,
            check=True,
        )
        return [np.load(path) for path in paths]


def main(function, first, *others):
    expected = run(function, first)
    for other in others:
        for got, wanted in zip(run(function, *other.split(":")), expected):
            limit = np.finfo(wanted.dtype).eps * 64
            np.testing.assert_allclose(
                got.astype(float), wanted.astype(float), rtol=limit, atol=limit
            )


main(*sys.argv[1:])
