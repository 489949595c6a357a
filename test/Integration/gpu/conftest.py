"""The cases and oracles of the tests for the CPU serve the kernels as well."""

import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(FOLDER / "numerics"), str(FOLDER / "examples")]
