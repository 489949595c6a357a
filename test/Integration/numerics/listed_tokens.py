"""Cases of global tokens that data lists."""

import positions
from attention import Case
from masks import (
    bigbird,
    causal,
    chunked,
    complement,
    document,
    intersection,
    listed,
    longformer,
    prefix,
    random,
    sliding_window,
    sparse_transformer_strided,
    streaming,
    union,
)
from usual import LENGTHS, OTHERS, near, packed

with_listed = union(near, listed())

CASES = {
    "listed": Case(with_listed, global_tokens="few", sq=200),
    "listed-alone": Case(listed(), global_tokens="few"),
    "listed-rows": Case(union(near, listed("rows")), global_tokens="few", sq=200),
    "listed-rows-alone": Case(listed("rows"), global_tokens="few", sq=200, dtype="f16"),
    "listed-columns": Case(union(near, listed("columns")), global_tokens="few", sq=200),
    "listed-columns-alone": Case(
        listed("columns"), global_tokens="few", sq=200, d=64, dtype="bf16"
    ),
    "listed-bf16": Case(with_listed, global_tokens="few", d=64, dtype="bf16", sq=230),
    "listed-f16": Case(with_listed, global_tokens="twice", d=64, dtype="f16", sq=200),
    "listed-dynamic": Case(
        with_listed, global_tokens="few", dynamic=True, sq=230, d=64, dtype="bf16"
    ),
    "listed-none": Case(with_listed, global_tokens="none", sq=200),
    "listed-none-alone": Case(listed(), global_tokens="none"),
    "listed-empty": Case(with_listed, global_tokens="empty", sq=130),
    "listed-outside": Case(with_listed, global_tokens="outside", sq=200),
    "listed-twice": Case(with_listed, global_tokens="twice", sq=200),
    "listed-first": Case(with_listed, global_tokens="first", sq=200, batch=20),
    "listed-every": Case(with_listed, global_tokens="every", sq=130),
    "listed-many": Case(with_listed, global_tokens="many", sq=230, dynamic=True),
    "listed-long": Case(with_listed, global_tokens="few", sq=600, batch=2, heads=1),
    "listed-causal": Case(
        intersection(causal, with_listed), global_tokens="few", sq=230, d=64, dtype="bf16"
    ),
    "listed-inside-window": Case(
        intersection(sliding_window(60, 60), listed()), global_tokens="many", sq=230
    ),
    "listed-rows-and-columns": Case(
        intersection(listed("rows"), listed("columns")), global_tokens="many", sq=200
    ),
    "listed-causal-rows-or-prefix-columns": Case(
        union(intersection(causal, listed("rows")), intersection(prefix(70), listed("columns"))),
        global_tokens="few", sq=230, dynamic=True,
    ),
    "listed-complement": Case(
        intersection(causal, complement(listed())), global_tokens="few", dtype="bf16"
    ),
    "listed-complement-rows": Case(
        union(near, complement(listed("rows"))), global_tokens="many"
    ),
    "listed-and-tokens": Case(
        union(longformer(16, [0, -1]), listed()), global_tokens="few", sq=200
    ),
    "listed-and-tokens-dynamic": Case(
        union(longformer(16, [0, -1]), listed()), global_tokens="few", sq=200,
        dynamic=True, d=64, dtype="f16",
    ),
    "listed-random": Case(
        union(random(16, 2), listed()), global_tokens="few", sq=230, heads=2
    ),
    "listed-bigbird": Case(
        union(bigbird(16, 3, 2, seed=7), listed()), global_tokens="few", sq=256, heads=3
    ),
    "listed-bigbird-dynamic": Case(
        union(bigbird(16, 3, 2), listed("columns")), global_tokens="twice", sq=230,
        dynamic=True, dtype="bf16", d=64,
    ),
    "listed-strided": Case(
        intersection(causal, union(sparse_transformer_strided(12), listed())),
        global_tokens="few", sq=130,
    ),
    "listed-streaming": Case(
        union(streaming(4, 20), intersection(causal, listed("columns"))),
        global_tokens="few", sq=200, dynamic=True,
    ),
    "listed-chunked": Case(
        intersection(chunked(60), with_listed), global_tokens="many", sq=200
    ),
    "listed-more-keys": Case(with_listed, global_tokens="few", sq=50, sk=331),
    "listed-more-queries": Case(with_listed, global_tokens="few", sq=231, sk=50, batch=8),
    "listed-groups": Case(
        with_listed, global_tokens="few", heads=4, groups=2, d=64, sq=130
    ),
    "listed-decode": Case(
        with_listed, global_tokens="few", sq=1, sk=333, heads=8, groups=4, d=64, batch=60
    ),
    "listed-decode-window": Case(
        union(sliding_window(30, 0), listed("columns")), global_tokens="few", sq=2, sk=333,
        heads=8, groups=4, batch=3, dynamic=True, dtype="bf16",
    ),
    "listed-decode-first": Case(
        union(sliding_window(30, 0), listed()), global_tokens="every", sq=1, sk=133,
        heads=8, groups=8, batch=3, dynamic=True,
    ),
    "listed-lengths": Case(
        with_listed, global_tokens="few", query_lengths=LENGTHS, key_lengths=OTHERS
    ),
    "listed-lengths-dynamic": Case(
        with_listed, global_tokens="many", query_lengths=LENGTHS, key_lengths=LENGTHS,
        dynamic=True, d=64, dtype="bf16",
    ),
    "listed-documents": Case(
        intersection(with_listed, document), global_tokens="few", documents="packed", sq=230
    ),
    "listed-or-documents": Case(
        union(packed, listed()), global_tokens="few", documents="packed", sq=230,
        dynamic=True, d=64, dtype="bf16",
    ),
    "listed-or-documents-padded": Case(
        union(document, listed("columns")), global_tokens="few", documents="padded", sq=400,
        batch=2,
    ),
    "listed-all-kinds": Case(
        union(intersection(near, document), intersection(document, listed()),
              intersection(causal, listed("columns"))),
        global_tokens="few", documents="again", sq=230,
    ),
    "listed-sinks": Case(
        with_listed, global_tokens="few", sinks=(0.5, -1.0), softcap=3.0, sq=130
    ),
    "listed-bias": Case(with_listed, global_tokens="few", bias="hqk", sq=130),
    "listed-slopes": Case(
        with_listed, global_tokens="few", slopes=(0.5, 0.125), sq=130, dtype="f16"
    ),
    "listed-nan": Case(
        with_listed, global_tokens="few", spoil="nan-value", batch=2, sq=230
    ),
    "listed-no-lse": Case(with_listed, global_tokens="few", lse=False, dtype="f16"),
    "listed-positions": Case(
        with_listed, global_tokens="many", key_position=(0, 5, 64, 131), sq=100, sk=200
    ),
    "listed-positions-begin": Case(
        with_listed, global_tokens="few", key_begin=positions.PADDING,
        key_position=positions.LEFT, sq=200, d=64, dtype="bf16",
    ),
    "listed-positions-queries": Case(
        with_listed, global_tokens="many", query_position=positions.AROUND, sq=60, sk=200,
        dynamic=True,
    ),
    "listed-positions-decode": Case(
        union(sliding_window(30, 0), listed("columns")), global_tokens="many", sq=1, sk=133,
        heads=8, groups=4, d=64, **positions.DROPPED,
    ),
    "listed-positions-random": Case(
        union(random(16, 2), listed()), global_tokens="few", key_position=(0, 5, 64, 131),
        sq=100, sk=230,
    ),
    "listed-positions-documents": Case(
        union(packed, listed()), global_tokens="few", documents="packed",
        key_position=(0, 5, 64, 131), key_begin=(3, 90, 64, 1), sq=230,
    ),
}
