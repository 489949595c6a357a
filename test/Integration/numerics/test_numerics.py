# RUN: %pytest %s
"""sparse-attn-run against NumPy in double and PyTorch in the same precision.

For each case: NaN and infinity stand where they stand in the double reference,
the largest error is at most twice that of PyTorch's eager attention, and the
mean error at most 1.1 times. There are as many rows as it takes for the mean not
to depend on luck; the largest error of a few thousand always does a little, so
that it is granted half a rounding of the largest result to f32.
"""

import concurrent.futures
import dataclasses
import os

import listed_tokens
import numpy as np
import packed_documents
import pages
import positions
import pytest
from attention import Case, eager, reference, run_case, run_module
from masks import (
    bigbird,
    causal,
    chunked,
    complement,
    documents,
    full,
    global_,
    intersection,
    longformer,
    periodic_columns,
    periodic_rows,
    prefix,
    prefix_lm,
    random,
    sliding_window,
    sparse_transformer_fixed,
    sparse_transformer_strided,
    streaming,
    strided,
    union,
)
from usual import LENGTHS, OTHERS, near

TOOL = os.environ.get("SPARSE_ATTN_RUN", "sparse-attn-run")
WORKERS = 2

all_but_last = complement(global_(last=5, direction="columns"))
# Lengths of documents.
SHORT = [3 + i % 11 for i in range(70)]

CASES = {
    # Each mask and preset, 97 queries and keys unless said otherwise.
    "full": Case(full),
    "causal": Case(causal),
    "window": Case(near),
    "window-left-only": Case(sliding_window("unbounded", 4)),
    "window-ahead": Case(sliding_window(left=0, right="unbounded")),
    "window-dilated": Case(sliding_window(left=7, right=2, dilation=5)),
    "window-blocks": Case(sliding_window(left=1, right=1, block=16)),
    "global": Case(global_([0, 50, -1])),
    "global-rows": Case(union(near, global_([3, -2], direction="rows"))),
    "global-columns": Case(union(near, global_([3, -2], direction="columns"))),
    "global-ends": Case(union(near, global_([40], first=2, last=3))),
    "random": Case(random(block=16, blocks_per_row=2, seed=2**63 + 5), heads=3),
    "random-one-draw": Case(random(block=8, blocks_per_row=3, per_head=False)),
    "chunked": Case(chunked(20)),
    "strided": Case(strided(7)),
    "prefix": Case(union(near, prefix(33))),
    "periodic-columns": Case(periodic_columns(period=9, last=2)),
    "complement": Case(complement(union(near, strided(5)))),
    "composition": Case(
        intersection(causal, union(near, prefix(8)), complement(global_([2, 40])))
    ),
    "longformer": Case(longformer(window=16, global_tokens=[0, -3])),
    "bigbird": Case(bigbird(16, 3, 2, seed=7), sq=256, heads=3),
    "bigbird-ragged": Case(bigbird(16, 3, 2, seed=1), sq=230),
    "bigbird-one-block": Case(bigbird(64, 3, 2), sq=50),
    "prefix-lm": Case(prefix_lm(30)),
    "streaming": Case(streaming(sinks=4, window=20)),
    "sparse-transformer-strided": Case(sparse_transformer_strided(12)),
    "sparse-transformer-fixed": Case(sparse_transformer_fixed(12, 3)),
    # Lengths around the tile's, and far from any multiple of it.
    "causal-1": Case(causal, sq=1),
    "causal-2": Case(causal, sq=2),
    "causal-47": Case(causal, sq=47, dtype="f16"),
    "causal-48": Case(causal, sq=48, dtype="bf16"),
    "causal-49": Case(causal, sq=49),
    "causal-1025": Case(causal, sq=1025, heads=1, threads=2),
    "window-1": Case(near, sq=1, dtype="bf16"),
    "window-2": Case(near, sq=2, dtype="f16"),
    "window-49": Case(near, sq=49, dtype="bf16"),
    "window-1025": Case(sliding_window(100, 100), sq=1025, heads=1, dtype="f16"),
    # More keys than queries, and more queries than keys: rows before position 0.
    "decode": Case(sliding_window(30, 0), sq=1, sk=130, heads=8, groups=8, d=64),
    "causal-more-keys": Case(causal, sq=50, sk=131),
    "causal-more-queries": Case(causal, sq=131, sk=50),
    "random-more-queries": Case(random(16, 2), sq=131, sk=75),
    "longformer-more-keys": Case(longformer(16, [0]), sq=60, sk=145),
    "strided-more-queries": Case(union(strided(7), chunked(9)), sq=80, sk=31),
    # Head sizes and shared heads.
    "d8": Case(causal, d=8, dtype="bf16", heads=4, groups=4),
    "d24-dv80": Case(near, d=24, dv=80),
    "d64-f16": Case(causal, d=64, dtype="f16", heads=8, groups=4),
    "d80-bf16": Case(longformer(30, [0]), d=80, dtype="bf16"),
    "d80-dv24-f16": Case(prefix_lm(40), d=80, dv=24, dtype="f16"),
    "d128-bf16": Case(near, d=128, dtype="bf16", heads=8, groups=8),
    "d128-dv64": Case(bigbird(16, 3, 1), d=128, dv=64, sq=130),
    "d256": Case(near, d=256),
    "d256-full": Case(full, d=256, dv=64),
    "d384": Case(causal, d=384, dv=64),
    "d512": Case(full, d=512, dv=64),
    "d400-dv8": Case(causal, d=400, dv=8),
    "batch": Case(union(near, random(16, 1)), batch=2, heads=4, groups=2),
    "no-lse": Case(causal, lse=False, dtype="f16"),
    # Lengths known at run time only.
    "dynamic": Case(causal, batch=2, heads=4, groups=2, sq=101, dynamic=True),
    "dynamic-decode": Case(sliding_window(30, 0), sq=1, sk=77, dynamic=True),
    "dynamic-global": Case(longformer(16, [0, -1]), sq=99, dynamic=True),
    "dynamic-bigbird": Case(bigbird(16, 3, 2), sq=128, dynamic=True),
    "dynamic-bigbird-ragged": Case(bigbird(16, 3, 2), sq=150, dynamic=True),
    "dynamic-random": Case(union(near, random(16, 2)), sq=150, dynamic=True),
    # Scores: steep, flat, reversed, and too large for any shift but the maximum.
    "negative-scale": Case(near, scale=-0.5),
    "zero-scale": Case(causal, scale=0.0, dtype="bf16"),
    # (Where scores are large and rounded, few rows have all the error, and whose
    # is larger is a matter of luck unless both round alike: hence the scales
    # that are powers of two, or scores that are exact.)
    "huge-scores": Case(causal, magnitude=60.0, scale=0.25),
    "huge-scores-any-scale": Case(causal, magnitude=60.0, scale=0.3, integers=True),
    "huge-scores-1025": Case(causal, sq=1025, heads=1, magnitude=60.0, scale=0.25),
    "huge-scores-bf16": Case(near, magnitude=64.0, dtype="bf16"),
    "very-negative-scores": Case(causal, scale=-300.0, magnitude=6.0),
    "scores-near-overflow": Case(causal, magnitude=2e18),
    "scale-1e30": Case(near, scale=1e30),
    "scale-minus-1e30": Case(causal, scale=-1e30),
    "scale-1e-35": Case(near, scale=-1e-35),
    "scale-subnormal": Case(near, scale=1e-41),
    "tiny-scale": Case(near, scale=1e-6, dtype="f16"),
    # Values whose sums are beyond the range, while no mean of them is.
    "huge-values": Case(full, spoil="huge-values"),
    "huge-values-bf16": Case(near, spoil="huge-values", dtype="bf16"),
    "huge-values-f16": Case(causal, spoil="huge-values", dtype="f16"),
    "huge-values-late": Case(causal, sq=130, spoil="huge-values-late"),
    "huge-values-late-bf16": Case(
        causal, sq=130, spoil="huge-values-late", dtype="bf16"
    ),
    "huge-values-heavy": Case(longformer(16, [0, -1]), sq=200, spoil="huge-values"),
    "huge-values-heavy-bf16": Case(
        longformer(16, [0, -1]), sq=200, spoil="huge-values", dtype="bf16"
    ),
    "huge-and-infinite-values": Case(near, spoil="huge-and-infinite-values"),
    "huge-and-infinite-values-bf16": Case(
        full, spoil="huge-and-infinite-values", dtype="bf16"
    ),
    "largest-values": Case(full, spoil="largest-values"),
    "largest-values-bf16": Case(causal, spoil="largest-values", dtype="bf16"),
    "largest-values-f16": Case(full, spoil="largest-values", dtype="f16"),
    "largest-values-heavy": Case(longformer(16, [0]), sq=200, spoil="largest-values"),
    # Values near the smallest normal number.
    "tiny-values": Case(full, spoil="tiny-values"),
    "tiny-values-bf16": Case(full, spoil="tiny-values", dtype="bf16"),
    "tiny-values-window": Case(near, spoil="tiny-values"),
    "tiny-values-heavy": Case(longformer(16, [0, -1]), sq=200, spoil="tiny-values"),
    "tiny-values-in-columns": Case(causal, spoil="tiny-values-in-columns"),
    # No live key: O = 0 and LSE = -inf; the mask's first tiles may be dead too.
    "no-key": Case(intersection(causal, complement(causal))),
    "no-key-some-rows": Case(
        intersection(sliding_window(0, 70), complement(sliding_window(0, 60))),
        dtype="f16",
    ),
    "first-tile-dead": Case(intersection(causal, complement(prefix(60))), sq=200),
    # NaN and infinity stay where the mask lets them.
    "nan-key": Case(near, spoil="nan-key"),
    "nan-key-causal-bf16": Case(causal, spoil="nan-key", dtype="bf16"),
    "nan-keys-never-seen": Case(all_but_last, spoil="nan-last-keys"),
    "nan-query": Case(causal, spoil="nan-query"),
    "nan-value": Case(full, spoil="nan-value"),
    "infinite-value": Case(full, spoil="infinite-value"),
    "infinite-score": Case(near, spoil="infinite-score"),
    "nan-values-never-seen-bf16": Case(
        all_but_last, spoil="nan-last-values", dtype="bf16", d=64, dynamic=True
    ),
    "nan-value-masked-random": Case(
        union(near, random(16, 2)), sq=150, spoil="nan-value", dtype="f16"
    ),
    "first-scores-minus-infinity": Case(
        full, sq=200, spoil="first-scores-minus-infinity"
    ),
    "first-scores-minus-infinity-heavy": Case(
        longformer(16, [0, 199]), sq=200, spoil="first-scores-minus-infinity"
    ),
    "all-scores-minus-infinity-full": Case(full, spoil="all-scores-minus-infinity"),
    "all-scores-minus-infinity": Case(near, spoil="all-scores-minus-infinity"),
    "nan-value-masked": Case(near, spoil="nan-value"),
    "infinite-value-masked": Case(near, spoil="infinite-value"),
    "nan-values-never-seen": Case(all_but_last, spoil="nan-last-values"),
}
# Behind the others, which keep their types where tests of kernels take turns.
CASES |= {
    "periodic-rows": Case(union(near, periodic_rows(period=16, last=2))),
    "periodic-rows-causal": Case(
        intersection(causal, union(near, periodic_rows(period=16, last=2)))
    ),
    "global-scattered": Case(union(near, global_([3, 9, 40, 41, 60, 77, 90, -2]))),
    "global-scattered-causal": Case(
        intersection(causal, union(near, global_([3, 9, 40, 41, 60, 77, 90])))
    ),
    # Few rows, of which a tile has several heads': as many as divide a group.
    "decode-full": Case(full, sq=1, sk=200, heads=4, groups=4, d=128),
    "decode-one-head": Case(causal, sq=1, sk=133, d=64),
    "decode-group-3": Case(causal, sq=1, sk=133, heads=6, groups=3, d=24, dv=80),
    "decode-group-11": Case(causal, sq=1, sk=133, heads=11, groups=11, d=40),
    "decode-group-12-f16": Case(
        sliding_window(50, 0), sq=1, sk=133, heads=12, groups=12, d=80, dtype="f16"
    ),
    "decode-bf16": Case(streaming(4, 60), sq=1, sk=300, heads=8, groups=8, dtype="bf16"),
    "decode-huge-values": Case(
        full, sq=1, sk=90, heads=8, groups=4, spoil="huge-values"
    ),
    "decode-nan-value": Case(causal, sq=1, sk=90, heads=8, groups=4, spoil="nan-value"),
    "decode-nan-values-never-seen": Case(
        all_but_last, sq=1, sk=90, heads=8, groups=4, spoil="nan-last-values"
    ),
    "decode-layouts": Case(
        union(near, periodic_columns(period=32, last=1)), sq=1, sk=700, heads=4, groups=4
    ),
    "two-rows": Case(causal, sq=2, sk=133, heads=8, groups=4, d=64),
    "eight-rows": Case(causal, sq=8, sk=133, heads=8, groups=8),
    "nine-rows": Case(causal, sq=9, sk=133, heads=16, groups=16),
    "dynamic-decode-group": Case(
        causal, sq=1, sk=133, heads=6, groups=6, d=64, dynamic=True
    ),
    "dynamic-two-rows": Case(causal, sq=2, sk=133, heads=8, groups=4, dynamic=True),
    "dynamic-three-rows": Case(causal, sq=3, sk=133, heads=8, groups=2, dynamic=True),
    # More pieces than a closed form may have: tiles are those of a table.
    "static-documents": Case(documents(*SHORT), sq=sum(SHORT)),
    "static-documents-causal": Case(
        intersection(causal, documents(*SHORT)), sq=sum(SHORT), d=64, dtype="bf16"
    ),
    "static-documents-more-keys": Case(documents(*SHORT), sq=300, sk=sum(SHORT)),
    # Parts are folded, and some residues have no query, or no key.
    "dilated-three-rows": Case(
        sliding_window(16, 16, dilation=8), sq=3, sk=300, d=64, dtype="f16", dynamic=True
    ),
    "dilated-few-keys": Case(sliding_window(16, 16, dilation=8), sq=20, sk=3, dynamic=True),
    "strided-three-rows": Case(
        sparse_transformer_strided(64), sq=3, sk=300, d=64, dtype="bf16", dynamic=True
    ),
    "strided-one-key": Case(sparse_transformer_strided(64), sq=5, sk=1, dynamic=True),
    # Scores that a soft cap bounds: few of them near it, and nearly all.
    "softcap": Case(causal, softcap=30.0),
    "softcap-small": Case(near, softcap=0.5, d=64),
    "softcap-bf16": Case(near, softcap=2.0, d=64, heads=4, groups=2, dtype="bf16"),
    "softcap-f16": Case(longformer(16, [0, -1]), softcap=2.0, sq=200, dtype="f16"),
    "softcap-scale": Case(causal, softcap=5.0, scale=-0.7),
    "softcap-huge-scores": Case(causal, softcap=50.0, magnitude=60.0, scale=0.25),
    "softcap-huge-values": Case(full, softcap=3.0, spoil="huge-values"),
    "softcap-no-key": Case(
        intersection(sliding_window(0, 70), complement(sliding_window(0, 60))),
        softcap=3.0,
    ),
    "softcap-nan-key": Case(near, softcap=3.0, spoil="nan-key"),
    "softcap-infinite-score": Case(near, softcap=3.0, spoil="infinite-score"),
    "softcap-random": Case(bigbird(16, 3, 2), softcap=2.0, sq=150, dynamic=True),
    "softcap-layouts": Case(
        union(near, periodic_columns(period=32, last=1)), softcap=2.0, sq=200
    ),
    "softcap-parts": Case(sparse_transformer_strided(32), softcap=2.0, sq=150),
    "softcap-rows": Case(union(near, periodic_rows(period=16, last=2)), softcap=2.0),
    "softcap-documents": Case(documents(*SHORT), softcap=2.0, sq=sum(SHORT)),
    "softcap-decode": Case(
        causal, softcap=2.0, sq=1, sk=133, heads=8, groups=4, d=64, dtype="bf16"
    ),
    # A key without a value for each head, beside scores that are smaller or larger.
    "sinks": Case(causal, sinks=(0.5, -1.0)),
    "sinks-bf16": Case(
        near, sinks=(1, 0, 3, -2), d=64, heads=4, groups=2, dtype="bf16"
    ),
    "sinks-f16": Case(causal, sinks=(1.5, 0.25), d=64, dtype="f16", dynamic=True),
    "sinks-large": Case(near, sinks=(40.0, -40.0)),
    "sinks-infinite": Case(causal, sinks=(-np.inf, np.inf)),
    "sinks-no-key": Case(
        intersection(sliding_window(0, 70), complement(sliding_window(0, 60))),
        sinks=(0.5, -np.inf),
    ),
    "sinks-heavy": Case(longformer(16, [0, -1]), sinks=(0.5, 2.0), sq=200),
    "sinks-decode": Case(
        causal, sinks=tuple(range(8)), sq=1, sk=133, heads=8, groups=4, d=64
    ),
    "sinks-decode-group-3": Case(
        causal, sinks=tuple(range(6)), sq=1, sk=133, heads=6, groups=3, d=24, dv=80
    ),
    "sinks-layouts": Case(
        union(near, periodic_columns(period=32, last=1)), sinks=(0.5, 2.0), sq=200
    ),
    "sinks-parts": Case(sparse_transformer_strided(32), sinks=(0.5, 2.0), sq=150),
    "sinks-rows": Case(
        union(near, periodic_rows(period=16, last=2)), sinks=(0.5, 2.0)
    ),
    "sinks-documents": Case(documents(*SHORT), sinks=(0.5, 2.0), sq=sum(SHORT)),
    "sinks-softcap": Case(causal, sinks=(0.5, -1.0), softcap=2.0),
    "sinks-scale": Case(near, sinks=(0.5, -1.0), scale=-0.7),
    "sinks-tiny-scale": Case(near, sinks=(0.5, -1.0), scale=1e-35),
    "sinks-huge-values": Case(full, sinks=(0.5, 3.0), spoil="huge-values"),
    "sinks-nan-key": Case(near, sinks=(0.5, 3.0), spoil="nan-key"),
    "sinks-infinite-score": Case(near, sinks=(0.5, 3.0), spoil="infinite-score"),
    "sinks-all-scores-minus-infinity": Case(
        near, sinks=(0.5, 3.0), spoil="all-scores-minus-infinity"
    ),
    "sinks-none-all-scores-minus-infinity": Case(
        near, sinks=(-np.inf, 3.0), spoil="all-scores-minus-infinity"
    ),
    # Sequences that are shorter than their tensors, with NaN behind their ends.
    "key-lengths": Case(full, key_lengths=LENGTHS),
    "key-lengths-causal": Case(causal, key_lengths=LENGTHS, d=64, dtype="bf16"),
    "key-lengths-dynamic": Case(near, key_lengths=LENGTHS, dynamic=True, dtype="f16"),
    "key-lengths-more-keys": Case(
        causal, sq=50, sk=131, key_lengths=(131, 100, 50, 20, 1, 0)
    ),
    "key-lengths-decode": Case(
        causal, key_lengths=(133, 100, 64, 1, 0), sq=1, sk=133, heads=8, groups=4, d=64
    ),
    "key-lengths-decode-window": Case(
        sliding_window(30, 0), key_lengths=(133, 100, 64, 1, 0),
        sq=1, sk=133, heads=8, groups=8, dtype="bf16", dynamic=True
    ),
    "query-lengths": Case(full, query_lengths=LENGTHS),
    "lengths": Case(causal, query_lengths=LENGTHS, key_lengths=LENGTHS),
    "lengths-others": Case(
        near, query_lengths=LENGTHS, key_lengths=OTHERS, d=64, dtype="bf16"
    ),
    "lengths-dynamic": Case(
        causal, query_lengths=LENGTHS, key_lengths=LENGTHS, dynamic=True, dtype="f16"
    ),
    "lengths-longformer": Case(
        longformer(16, [0, 9, -3]), query_lengths=LENGTHS, key_lengths=OTHERS
    ),
    "lengths-longformer-dynamic": Case(
        longformer(16, [0, -1]), query_lengths=LENGTHS, key_lengths=LENGTHS,
        dynamic=True, heads=4, groups=2
    ),
    "lengths-prefix-lm": Case(
        prefix_lm(30), query_lengths=LENGTHS, key_lengths=OTHERS
    ),
    "lengths-streaming": Case(
        streaming(sinks=4, window=20), query_lengths=LENGTHS, key_lengths=LENGTHS
    ),
    "lengths-chunked": Case(
        intersection(causal, chunked(20)), query_lengths=OTHERS, key_lengths=LENGTHS
    ),
    "lengths-dilated": Case(
        sliding_window(7, 2, dilation=5), query_lengths=LENGTHS, key_lengths=LENGTHS
    ),
    "lengths-strided": Case(
        sparse_transformer_strided(12), query_lengths=LENGTHS, key_lengths=LENGTHS
    ),
    "lengths-fixed": Case(
        sparse_transformer_fixed(12, 3), query_lengths=LENGTHS, key_lengths=LENGTHS
    ),
    "lengths-complement": Case(
        complement(union(near, strided(5))), query_lengths=LENGTHS, key_lengths=OTHERS
    ),
    "lengths-rows": Case(
        union(near, periodic_rows(period=16, last=2)),
        query_lengths=LENGTHS, key_lengths=LENGTHS
    ),
    "lengths-sinks": Case(
        causal, query_lengths=LENGTHS, key_lengths=OTHERS, sinks=(0.5, -1.0)
    ),
    "lengths-softcap": Case(
        causal, query_lengths=LENGTHS, key_lengths=LENGTHS, softcap=2.0, dtype="bf16"
    ),
    "lengths-huge-values": Case(
        full, query_lengths=LENGTHS, key_lengths=LENGTHS, spoil="huge-values-late"
    ),
    # Scores that are computed anew.
    "slopes": Case(causal, slopes=(0.5, 0.0625)),
    "slopes-full-bf16": Case(full, slopes=(0.25, 0.0625), d=64, dtype="bf16"),
    "slopes-decode": Case(
        causal, slopes=(1, 0.5, 0.25, 0.125), sq=1, sk=133, heads=4, groups=2, d=64
    ),
    "slopes-parts": Case(sparse_transformer_strided(32), slopes=(0.5, 0.125), sq=150),
    "slopes-lengths": Case(
        near, slopes=(0.5, 0.125), query_lengths=LENGTHS, key_lengths=OTHERS
    ),
    "bias": Case(causal, bias="bhqk", batch=8),
    "bias-of-batch-bf16": Case(
        near, bias="b11k", d=64, heads=4, groups=2, dtype="bf16", batch=4
    ),
    "bias-of-head-f16": Case(
        longformer(16, [0, -1]), bias="hqk", sq=200, dtype="f16", dynamic=True
    ),
    "bias-of-pair": Case(full, bias="qk", sq=50, sk=131),
    "bias-one": Case(causal, bias="1111"),
    "bias-decode": Case(
        causal, bias="bh1k", sq=1, sk=133, heads=8, groups=4, d=64, batch=4
    ),
    "bias-layouts": Case(
        union(near, periodic_columns(period=32, last=1)), bias="hqk", sq=200
    ),
    "bias-parts": Case(sparse_transformer_strided(32), bias="qk", sq=150),
    "bias-rows": Case(union(near, periodic_rows(period=16, last=2)), bias="hqk"),
    "bias-documents": Case(documents(*SHORT), bias="qk", sq=sum(SHORT)),
    "bias-random": Case(bigbird(16, 3, 2), bias="hqk", sq=150, dynamic=True),
    "bias-lengths": Case(
        causal, bias="bhqk", query_lengths=LENGTHS, key_lengths=OTHERS, dynamic=True
    ),
    "bias-softcap-sinks": Case(
        near, bias="hqk", softcap=2.0, sinks=(0.5, 1), slopes=(0.5, 0.125)
    ),
    "bias-more-queries": Case(causal, bias="qk", sq=131, sk=50),
    "score": Case(causal, score="distance"),
    "score-bf16": Case(near, score="distance", d=64, dtype="bf16"),
    "score-positions": Case(full, score="positions", batch=3),
    "score-positions-f16": Case(causal, score="positions", dtype="f16", batch=3),
    "score-softcap": Case(causal, score="positions", softcap=2.0, batch=3),
    "score-more-keys": Case(causal, score="positions", sq=50, sk=131, batch=3),
    "score-parts": Case(
        sparse_transformer_strided(32), score="positions", sq=150, batch=3
    ),
    "score-dilated": Case(
        sliding_window(7, 2, dilation=5), score="positions", sq=50, sk=131, batch=3
    ),
    "score-layouts": Case(
        union(near, periodic_columns(period=32, last=1)),
        score="positions", sq=200, batch=3
    ),
    "score-rows": Case(
        union(near, periodic_rows(period=16, last=2)), score="positions", batch=3
    ),
    "score-heavy": Case(longformer(16, [0, -1]), score="distance", sq=200),
    "score-documents": Case(
        documents(*SHORT), score="positions", sq=sum(SHORT), batch=3
    ),
    "score-random": Case(bigbird(16, 3, 2), score="table", sq=150, dynamic=True),
    "score-lengths": Case(
        causal, score="positions", query_lengths=LENGTHS, key_lengths=OTHERS
    ),
    "score-decode": Case(
        causal, score="positions", sq=1, sk=133, heads=8, groups=4, d=64, batch=3
    ),
    "score-table": Case(near, score="table"),
    # The last row and the last key read the table's last element.
    "score-key-table-ragged": Case(causal, score="key-table", sq=300),
    "score-decay": Case(full, score="decay"),
    "score-decay-bf16": Case(near, score="decay", d=64, dtype="bf16"),
    "score-table-bf16": Case(causal, score="table", d=64, dtype="bf16"),
    "score-key-table": Case(near, score="key-table"),
    "score-key-table-more-keys": Case(causal, score="key-table", sq=50, sk=131),
    "score-all": Case(
        causal, score="table", softcap=2.0, bias="hqk", slopes=(0.5, 0.125),
        sinks=(0.5, 1), query_lengths=LENGTHS, key_lengths=LENGTHS
    ),
    "random-lengths": Case(
        random(16, 2), query_lengths=LENGTHS, key_lengths=LENGTHS, heads=3
    ),
    "bigbird-lengths": Case(
        bigbird(16, 3, 2, seed=7), query_lengths=(230, 64, 0, 100, 33),
        key_lengths=(230, 64, 50, 100, 20), sq=230
    ),
    "bigbird-lengths-dynamic": Case(
        bigbird(16, 3, 2), query_lengths=(150, 64, 5), key_lengths=(150, 100, 5),
        sq=150, dynamic=True, heads=4, groups=2
    ),
    # A loop that runs once, and writes rows that are no neighbours.
    "global-one-head": Case(global_([27, 127]), sq=200, heads=1, batch=1),
    "lengths-global-one-head": Case(
        global_([27, 127]), sq=200, heads=1, query_lengths=(139,), key_lengths=(161,)
    ),
    # Weights that are too small to count beside the sink.
    "sinks-slopes": Case(full, sinks=(1.0, 2.0), slopes=(1.5, 0.5), sq=200),
    "lengths-no-lse": Case(
        near, query_lengths=LENGTHS, key_lengths=LENGTHS, lse=False, dtype="f16"
    ),
}
for module in (packed_documents, listed_tokens, positions, pages):
    assert not CASES.keys() & module.CASES.keys()
    CASES |= module.CASES


@dataclasses.dataclass(frozen=True)
class Bounds:
    """How much larger our errors may be: factors of PyTorch's largest and mean
    error, and what is granted besides, as a part of the largest result, and to both
    as it is."""

    largest: float = 2
    mean: float = 1.1
    free_in_largest: float = 2.0**-25  # half a rounding to f32
    free_in_mean: float = 0
    besides: float = 0


def check(name, ours, theirs, exact, bounds=Bounds()):
    """The criterion above, for one result; PyTorch's where it is a number."""
    wrong = np.isfinite(ours) != np.isfinite(exact)
    wrong |= np.isnan(ours) != np.isnan(exact)
    wrong |= np.isinf(exact) & (ours != exact)
    assert not wrong.any(), (
        f"{name}: NaN or infinity in the wrong place at {np.argwhere(wrong)[:5]}: "
        f"{ours[wrong][:5]}, expected {exact[wrong][:5]}"
    )
    counted = np.isfinite(exact) & np.isfinite(theirs)
    if not counted.any():
        return
    exact = exact[counted]
    our_error, their_error = abs(ours[counted] - exact), abs(theirs[counted] - exact)
    scale = abs(exact).max()
    for kind, factor, free in [
        (np.max, bounds.largest, bounds.free_in_largest * scale + bounds.besides),
        (np.mean, bounds.mean, bounds.free_in_mean * scale + bounds.besides),
    ]:
        ours_is, theirs_is = kind(our_error), kind(their_error)
        assert ours_is <= factor * theirs_is + free, (
            f"{name}: {kind.__name__} error {ours_is:.3g}, PyTorch's {theirs_is:.3g}"
        )


@pytest.fixture(scope="session")
def results(request):
    """The result of each selected case, computed beside the tests."""
    chosen = [
        item.callspec.params["name"]
        for item in request.session.items
        if item.originalname == "test_case"
    ]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        yield {name: pool.submit(run_case, TOOL, CASES[name]) for name in chosen}


@pytest.mark.parametrize("name", CASES)
def test_case(name, results):
    case = CASES[name]
    out, lse = results[name].result()
    inputs, live, sinks = case.inputs()[:3], case.live(), case.all_sinks()
    changes = case.softcap, sinks, case.modifier()
    exact_out, exact_lse = reference(*inputs, live, case.effective_scale, *changes)
    eager_out, eager_lse = eager(
        *inputs, live, case.effective_scale, case.dtype, *changes
    )
    check("output", out, eager_out, exact_out)
    if case.lse:
        check("LSE", lse, eager_lse, exact_lse)


def test_two_attentions_in_one_function():
    """The second reads what the first wrote, and its own Q, K and V."""
    shape = (1, 2, 97, 16)
    tensor = "tensor<1x2x97x16xf32>"
    op = f"outs(%init : {tensor}) -> {tensor}"
    types = f"{tensor}, {tensor}, {tensor}"
    text = f"""\
func.func @layers(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> ({tensor}, {tensor}) {{
  %init = tensor.empty() : {tensor}
  %a = sparse_attn.attention mask({causal.text}) ins(%q, %k, %v : {types}) {op}
  %b = sparse_attn.attention mask({near.text}) ins(%a, %a, %v : {types}) {op}
  return %a, %b : {tensor}, {tensor}
}}
"""
    generator = np.random.default_rng(0)
    q, k, v = generator.standard_normal((3, *shape)).astype(np.float32).astype(float)
    (first, second), report = run_module(TOOL, text, [q, k, v], 2, "--check=all")
    assert report["passed"] and report["checked_rows"] == 2 * 2 * 97
    for ours, operands, mask in [
        (first, (q, k, v), causal),
        (second, (first, first, v), near),
    ]:
        live = np.stack([mask.matrix(97, 97, h) for h in range(2)])
        exact, _ = reference(*operands, live, 0.25)
        theirs, _ = eager(*operands, live, 0.25, "f32")
        check("output", ours, theirs, exact)


def test_nan_value_stays_near():
    """What is in V reaches no row whose tiles never visit it."""
    case = Case(near, sq=400, spoil="nan-value")
    out, lse = run_case(TOOL, case)
    assert np.isnan(out[0, 0, 37:51]).all()
    assert np.isfinite(out[0, 0, 240:]).all() and np.isfinite(out[0, 1]).all()
    assert np.isfinite(lse).all()
