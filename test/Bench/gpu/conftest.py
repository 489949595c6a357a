"""The benchmark's modules, the formulas of the numerics tests, and small packages."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("SPARSE_ATTN_BUILD", ROOT / "build"))
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
                "--target=sm_90"])
    return folder


@pytest.fixture
def build_tree():
    return BUILD
