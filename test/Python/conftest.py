"""Packages that the tests call, and what they should give."""

import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import sparse_attn

INPUTS = pathlib.Path(__file__).parent / "Inputs"


def compile_package(
    directory, *targets, file=INPUTS / "attention.mlir", options=(), variants=False
):
    subprocess.run(
        ["sparse-attn-compile", file, "--target=" + ",".join(targets)]
        + [f"--variants={str(variants).lower()}", "--emit=ptx,manifest,host"]
        + [*options, "-o", directory],
        check=True,
    )
    return directory


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    """A package for this machine's processor and for GPUs."""
    path = tmp_path_factory.mktemp("packages") / "package"
    return compile_package(path, "sm_80", "native")


@pytest.fixture(scope="session")
def gpu_only(tmp_path_factory):
    path = tmp_path_factory.mktemp("packages") / "gpu"
    return compile_package(path, "sm_80")


@pytest.fixture
def package(directory):
    with sparse_attn.load(directory) as package:
        yield package


@pytest.fixture
def copied(directory, tmp_path):
    """A copy, to be damaged."""
    return pathlib.Path(shutil.copytree(directory, tmp_path / "copy"))


def reference(q, k, v, allowed):
    """O and LSE in double; `allowed` takes positions of queries and keys."""
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    group = q.shape[1] // k.shape[1]
    k, v = (np.repeat(x, group, axis=1) for x in (k, v))
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    keys = np.arange(k.shape[2])
    rows = np.arange(q.shape[2])[:, None] + k.shape[2] - q.shape[2]
    scores = np.where(allowed(rows, keys), scores, -np.inf)
    top = scores.max(-1, keepdims=True)
    weights = np.exp(scores - top)
    total = weights.sum(-1, keepdims=True)
    return weights @ v / total, (top + np.log(total))[..., 0]


def causal(rows, keys):
    return keys <= rows


def longformer(rows, keys):
    return (abs(rows - keys) <= 32) | (rows == 0) | (keys == 0)


def random(shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)
