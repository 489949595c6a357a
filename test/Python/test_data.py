# RUN: %pytest %s
"""Functions of packages that take data: lengths, positions, pages, sinks, biases,
slopes, documents."""

import numpy as np
import pytest
import sparse_attn
import torch
from conftest import INPUTS, compile_package, random


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    path = tmp_path_factory.mktemp("packages") / "data"
    compile_package(path, "native", file=INPUTS / "data.mlir")
    with sparse_attn.load(path) as package:
        yield package


def eager(q, k, v, live, sinks=None, bias=None):
    """O and LSE by PyTorch in double; `live` and `bias` are broadcast to the scores."""
    q, k, v = (torch.as_tensor(x).double() for x in (q, k, v))
    group = q.shape[1] // k.shape[1]
    k, v = (x.nan_to_num().repeat_interleave(group, dim=1) for x in (k, v))
    scores = q.nan_to_num() @ k.mT * q.shape[-1] ** -0.5
    if bias is not None:
        scores = scores + torch.as_tensor(bias).double()
    scores = scores.masked_fill(~torch.as_tensor(live), -torch.inf)
    if sinks is not None:
        column = torch.as_tensor(sinks).double()[None, :, None, None]
        scores = torch.cat([scores, column.expand(*scores.shape[:3], 1)], dim=-1)
    weights = scores.softmax(-1).nan_to_num()[..., : k.shape[2]]
    return (weights @ v).numpy(), scores.logsumexp(-1).numpy()


def test_roles(package):
    arguments = package["cached"].arguments
    assert [a.roles for a in arguments[3:]] == [("key_lengths",), ("sinks",)]
    assert [a.type for a in arguments[3:]] == ["i32", "f32"]
    roles = [a.roles for a in package["ragged"].arguments[3:]]
    assert roles == [("query_lengths",), ("key_lengths",), ("bias",)]


@pytest.mark.parametrize("queries", [1, 5])
def test_a_static_cache(package, queries):
    lengths = np.array([40, 7, 25], np.int32)
    q = random((3, 8, queries, 32))
    k, v = random((3, 4, 40, 32), seed=1), random((3, 4, 40, 32), seed=2)
    for n, length in enumerate(lengths):  # What the cache holds behind its end.
        k[n, :, length:] = v[n, :, length:] = np.nan
    sinks = random((8,), seed=3)
    o, lse = package["cached"](q, k, v, lengths, sinks)
    i = lengths[:, None, None, None] - queries + np.arange(queries)[:, None]
    j = np.arange(40)
    expected, expected_lse = eager(q, k, v, (i - 15 <= j) & (j <= i), sinks)
    np.testing.assert_allclose(o, expected, atol=2e-6)
    np.testing.assert_allclose(lse, expected_lse, atol=1e-5)


def test_ragged_sequences_with_a_bias(package):
    queries, keys = np.array([30, 4, 0], np.int32), np.array([30, 20, 9], np.int32)
    q, k, v = (random((3, 2, 30, 16), seed=n) for n in range(3))
    for n in range(3):
        q[n, :, queries[n] :] = np.nan
        k[n, :, keys[n] :] = v[n, :, keys[n] :] = np.nan
    bias = random((2, 30, 30), seed=4)
    o = package["ragged"](q, k, v, queries, keys, bias)
    r, j = np.arange(30)[:, None], np.arange(30)
    nq, nk = queries[:, None, None, None], keys[:, None, None, None]
    live = (r < nq) & (j < nk) & (j <= r + nk - nq)
    np.testing.assert_allclose(o, eager(q, k, v, live, bias=bias)[0], atol=2e-6)


def test_alibi(package):
    q, k, v = (torch.from_numpy(random((1, 4, 50, 8), seed=n)) for n in range(3))
    slopes = torch.tensor([0.5, 0.25, 0.125, 0.0625])
    i, j = np.arange(50)[:, None], np.arange(50)
    bias = -slopes.numpy()[:, None, None] * abs(i - j)
    expected, _ = eager(q, k, v, j <= i, bias=bias)
    np.testing.assert_allclose(
        package["alibi"](q, k, v, slopes).numpy(), expected, atol=2e-6
    )


def test_documents_of_cu_seqlens(package):
    assert package["packed"].arguments[3].roles == ("documents",)
    cu_seqlens = torch.tensor([0, 1, 130, 130, 395, 420])
    positions = torch.arange(cu_seqlens[-1])
    ids = torch.searchsorted(cu_seqlens[1:], positions, right=True).int()[None]
    q, k, v = (torch.from_numpy(random((1, heads, 420, 64), seed=heads)).bfloat16()
               for heads in (4, 2, 2))
    o = package["packed"](q, k, v, ids)
    for begin, end in zip(cu_seqlens, cu_seqlens[1:]):
        one = [x[:, :, begin:end].float() for x in (q, k, v)]
        causal = np.tri(end - begin, dtype=bool)
        np.testing.assert_allclose(
            o[:, :, begin:end].float(), eager(*one, causal)[0], atol=8e-3, rtol=8e-3)
    with pytest.raises(ValueError, match="documents.* has size 419 .*expected 420, which is Sk"):
        package["packed"](q, k, v, ids[:, 1:])


@pytest.mark.parametrize("dropped", [0, 3, 70, 100_000])
def test_a_cache_whose_front_was_dropped(package, dropped):
    arguments = package["sliding"].arguments
    assert [a.roles for a in arguments[4:]] == [("query_position",), ("key_position",)]
    assert [(a.type, len(a.shape)) for a in arguments[4:]] == [("i64", 1), ("i64", 0)]
    lengths = np.array([90, 64, 33], np.int32)
    q = random((3, 4, 2, 32))
    k, v = random((3, 2, 90, 32), seed=1), random((3, 2, 90, 32), seed=2)
    for n, length in enumerate(lengths):
        k[n, :, length:] = v[n, :, length:] = np.nan
    rows = dropped + lengths.astype(np.int64) - 2
    o = package["sliding"](q, k, v, lengths, rows, np.array(dropped, np.int64))
    i = rows[:, None, None, None] + np.arange(2)[:, None]
    j = dropped + np.arange(90)
    live = (j <= i) & ((j < 4) | (i - j < 20))
    np.testing.assert_allclose(o, eager(q, k, v, live)[0], atol=2e-6)
    with pytest.raises((TypeError, ValueError), match="i64"):
        package["sliding"](q, k, v, lengths, rows, np.array(dropped, np.int32))


def test_a_cache_in_pages(package):
    assert package["paged"].arguments[3].roles == ("page_table",)
    lengths = np.array([90, 64, 33], np.int32)
    table = np.array([[4, 1, 7], [0, 3, -1], [6, 5, 2**31 - 1]], np.int32)
    pools = [random((8, 2, 32, 32), seed=seed) for seed in (1, 2)]
    k, v = (pool[table.clip(0, 7)].swapaxes(1, 2).reshape(3, 2, 96, 32) for pool in pools)
    for pool in pools:
        pool[2] = np.nan  # a page of no sequence
        for n, length in enumerate(lengths):
            if length % 32:
                pool[table[n, length // 32], :, length % 32 :] = np.nan
    q, bias = random((3, 4, 2, 32)), random((96,), seed=3)
    o = package["paged"](q, *pools, table, lengths, bias)
    i = lengths[:, None, None, None] - 2 + np.arange(2)[:, None]
    live = np.arange(96) <= i
    np.testing.assert_allclose(o, eager(q, k, v, live, bias=bias)[0], atol=2e-6)
    with pytest.raises(ValueError, match="keys that bias is of.* must be those of all pages"):
        package["paged"](q, *pools, table, lengths, bias[:90])


def test_padding_on_the_left(package):
    begins = np.array([0, 5, 40], np.int32)
    q, k, v = random((3, 4, 40, 32)), random((3, 2, 40, 32)), random((3, 2, 40, 32))
    for n, begin in enumerate(begins):
        k[n, :, :begin] = v[n, :, :begin] = np.nan
    o = package["padded"](q, k, v, begins)
    j = np.arange(40)
    live = (j <= j[:, None]) & (j >= begins[:, None, None, None])
    np.testing.assert_allclose(o, eager(q, k, v, live)[0], atol=2e-6)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_global_tokens_of_each_sequence(package, count):
    assert package["longformer"].arguments[3].roles == ("global_tokens",)
    q, k, v = (random((3, 2, 150, 16), seed=n) for n in range(3))
    tokens = np.array([[0, -1, -1, -1, -1], [99, 3, 4, 149, 99], [150, -2, 7, -1, 80]], np.int32)
    tokens = tokens[:, :count]
    i, j = np.arange(150)[:, None], np.arange(150)
    near = abs(i - j) <= 16
    listed = [np.isin(j, some) for some in tokens]
    live = np.stack([near | some[:, None] | some for some in listed])[:, None]
    o = package["longformer"](q, k, v, tokens)
    np.testing.assert_allclose(o, eager(q, k, v, live)[0], atol=2e-6)
    with pytest.raises(ValueError, match="global_tokens.* has size 2 .*expected 3, which is B"):
        package["longformer"](q, k, v, tokens[1:])


def test_a_table_of_relative_positions(package):
    assert package["relative"].arguments[3].roles == ("extra",)
    q, k, v = (random((2, 2, 70, 16), seed=n) for n in range(3))
    table = random((2, 33), seed=3)
    i, j = np.arange(70)[:, None], np.arange(70)
    expected, _ = eager(q, k, v, j <= i, bias=table[:, np.clip(i - j, 0, 32)])
    np.testing.assert_allclose(package["relative"](q, k, v, table), expected, atol=2e-6)


def test_sizes_of_data_are_those_of_the_operands(package):
    q, k, v = random((3, 8, 1, 32)), random((3, 4, 40, 32)), random((3, 4, 40, 32))
    sinks = random((8,))
    with pytest.raises(ValueError, match="key_lengths.* has size 2 .*expected 3, which is B"):
        package["cached"](q, k, v, np.array([40, 40], np.int32), sinks)
    with pytest.raises((TypeError, ValueError), match="i32"):
        package["cached"](q, k, v, np.array([40.0, 40, 40], np.float32), sinks)
