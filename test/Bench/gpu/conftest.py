"""The benchmark's modules, the formulas of the numerics tests, and small packages."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("SPARSE_ATTN_BUILD", ROOT / "build"))
# The Python package launches code for this CPU as it does that for a GPU.
HAS_PYTHON_PACKAGE = (ROOT / "python" / "sparse_attn").is_dir()
TARGETS = "x86-64-v3,sm_90" if HAS_PYTHON_PACKAGE else "sm_90"
sys.path[:0] = [
    str(ROOT / "bench" / "gpu"),
    str(ROOT / "test" / "Integration" / "numerics"),
]


@pytest.fixture(scope="session")
def small_packages(tmp_path_factory):
    """A function of one launch, of three and of six, and variants of the first."""
    import build

    folder = tmp_path_factory.mktemp("packages")
    build.main(["-o", str(folder), f"--build={BUILD}", "--small", "--head-sizes=32",
                "--patterns=causal,longformer,bigbird", "--variants=causal",
                f"--target={TARGETS}"])
    return folder


@pytest.fixture
def build_tree():
    return BUILD
