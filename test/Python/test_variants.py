"""Kernels that are chosen by the sizes of a call."""

import numpy as np
import pytest
import sparse_attn
from conftest import INPUTS, causal, compile_package, random, reference
from double import double
from test_gpu_results import check, from_gpu, to_gpu

__all__ = ["double"]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    path = tmp_path_factory.mktemp("variants")
    kernels = path / "kernels"
    return compile_package(
        path / "package", "sm_80", "native", file=INPUTS / "variants.mlir",
        options=[f"--emulator-objects={kernels}"], variants=True,
    ), kernels  # fmt: skip


@pytest.fixture
def package(double, compiled):
    directory, kernels = compiled
    double.emulate(kernels)
    with sparse_attn.load(directory) as package:
        yield package
    assert double.report() == ""


def inputs(queries, keys, heads=2):
    shapes = ((heads, queries), (2, keys), (2, keys))
    return [random((1, *shape, 16), seed=i) for i, shape in enumerate(shapes)]


def kernels_of(double):
    """Of the launches so far, without their numbers."""
    return {kernel.rpartition("_")[0] for kernel, *_ in double.launches()}


@pytest.mark.parametrize("queries, keys, kernel", [
    (50, 50, "by_lengths_variant0"), (50, 70, "by_lengths"),
])  # fmt: skip
def test_lengths_choose_the_mask(double, package, queries, keys, kernel):
    arrays = inputs(queries, keys)
    allowed = causal if queries == keys else lambda rows, keys: rows - keys > -1000
    expected, _ = reference(*arrays, allowed)
    check(from_gpu(package["by_lengths"](*(to_gpu(double, x) for x in arrays))), expected)
    assert kernels_of(double) == {kernel}
    # Host code chooses by itself.
    check(package["by_lengths"](*arrays), expected)


@pytest.mark.parametrize("queries, keys, is_special", [
    (128, 128, True), (48, 128, False), (100, 100, False), (37, 90, False),
])  # fmt: skip
def test_all_kernels_of_a_mask_compute_the_same(double, package, queries, keys, is_special):
    arrays = inputs(queries, keys)
    result = from_gpu(package["bigbird"](*(to_gpu(double, x) for x in arrays)))
    check(result, package["bigbird"](*arrays))
    if is_special:
        assert kernels_of(double) == {"bigbird_variant1"}
    assert np.isfinite(result).all()


@pytest.mark.parametrize("queries, keys, heads, kernels", [
    (1, 700, 8, {"causal_variant0"}),  # a tile of four heads, in two parts
    (3, 700, 8, {"causal_variant0"}),
    (5, 700, 8, {"causal_variant1"}),  # tiles of rows, in parts
    (40, 700, 2, {"causal_variant1"}),
    (40, 100, 2, {"causal"}),  # too few keys to be split
])  # fmt: skip
def test_few_query_tiles_are_split(double, package, queries, keys, heads, kernels):
    arrays = inputs(queries, keys, heads)
    expected, _ = reference(*arrays, causal)
    check(from_gpu(package["causal"](*(to_gpu(double, x) for x in arrays))), expected)
    assert kernels_of(double) == kernels
    check(package["causal"](*arrays), expected)
