"""Cases of queries and keys that stand at positions of their own."""

from attention import Case
from masks import (
    bigbird,
    causal,
    chunked,
    complement,
    document,
    full,
    global_,
    intersection,
    longformer,
    prefix,
    random,
    sliding_window,
    sparse_transformer_fixed,
    streaming,
    strided,
    union,
)
from usual import near, packed

# Positions of slots: inside of tiles and where they begin, before the first one,
# and where 32 bits still hold the sum of two.
PLACES = (0, 5, 64, 131, 1000, 2**29)
# First slots with keys, and the positions that begin there: padding at the left.
PADDING = (0, 1, 16, 33, 97, 200, -4, 64)
LEFT = tuple(-pad for pad in PADDING)
# A cache whose front was dropped, beside one that is whole.
DROPPED = {"key_position": (0, 64, 200, 1003), "key_lengths": (90, 133, 133, 70)}
# The last row behind, at and before the last of 97 keys.
AROUND = (-30, -1, 0, 33, 60, 64, 90, 200)

CASES = {
    "positions-zero": Case(causal, query_position=0, key_position=0),
    "positions-one-of-all": Case(near, query_position=70, key_position=40),
    "positions-of-slots": Case(causal, key_position=PLACES),
    "positions-of-slots-f16": Case(near, key_position=PLACES, d=64, dtype="f16"),
    "positions-of-slots-dynamic": Case(near, key_position=PLACES, dynamic=True),
    "positions-of-slots-full": Case(full, key_position=PLACES, sq=40, sk=200),
    "positions-of-slots-chunked": Case(chunked(20), key_position=PLACES),
    "positions-of-slots-blocks": Case(
        sliding_window(left=1, right=1, block=16), key_position=PLACES, sq=40, sk=200
    ),
    "positions-of-slots-prefix": Case(
        union(near, prefix(70)), key_position=(0, 5, 64, 131), sq=100, sk=200
    ),
    "positions-of-slots-global": Case(
        union(near, global_([0, 70, -1])), key_position=(0, 5, 64, 131), sq=100, sk=200
    ),
    "positions-of-slots-dilated": Case(
        sliding_window(left=7, right=2, dilation=5), key_position=PLACES
    ),
    "positions-of-slots-fixed": Case(
        sparse_transformer_fixed(12, 3), key_position=PLACES, dtype="bf16", d=64
    ),
    "positions-of-slots-random": Case(
        random(16, 2), key_position=(0, 5, 64, 131), heads=3, sq=100, sk=200
    ),
    "positions-of-slots-bigbird": Case(
        bigbird(16, 3, 2), key_position=(0, 5, 64, 131), sq=100, sk=230, dynamic=True
    ),
    "positions-of-slots-complement": Case(
        complement(union(near, strided(5))), key_position=PLACES
    ),
    "positions-before-zero": Case(near, key_position=(-5, -64, -97, -131)),
    "positions-before-zero-full": Case(full, key_position=(-5, -64, -97, -131), sq=40),
    "positions-before-zero-strided": Case(
        intersection(causal, strided(7)), key_position=(-5, -64, -97, -131)
    ),
    "positions-of-queries": Case(causal, query_position=AROUND),
    "positions-of-queries-window": Case(near, query_position=AROUND, dynamic=True),
    "positions-of-queries-chunked": Case(
        chunked(20), query_position=AROUND, d=64, dtype="bf16"
    ),
    "positions-of-queries-global": Case(
        longformer(16, [0, 40]), query_position=AROUND, sq=60, sk=200
    ),
    "positions-of-queries-no-keys": Case(
        causal, query_position=(5, -3), key_lengths=(0, 30), sq=40
    ),
    "begin": Case(causal, key_begin=PADDING),
    "begin-window": Case(near, key_begin=PADDING, dynamic=True),
    "begin-f16": Case(causal, key_begin=PADDING, sq=200, d=64, dtype="f16"),
    "begin-global": Case(union(near, global_([0, 40])), key_begin=PADDING, sq=130),
    "begin-bigbird": Case(bigbird(16, 3, 2), key_begin=PADDING[:5], sq=130),
    "begin-left-padding": Case(causal, key_begin=PADDING, key_position=LEFT),
    "begin-left-padding-global": Case(
        longformer(16, [0, 9]), key_begin=PADDING, key_position=LEFT, sq=130
    ),
    "begin-left-padding-streaming": Case(
        streaming(4, 20), key_begin=PADDING, key_position=LEFT, sq=200, d=64, dtype="bf16"
    ),
    "begin-lengths": Case(
        causal, key_begin=(3, 0, 40, 5), key_lengths=(97, 1, 50, 0),
        query_lengths=(97, 97, 20, 4)
    ),
    "cache-front-dropped": Case(
        sliding_window(100, 0), sq=1, sk=133, heads=8, groups=4, d=64, **DROPPED
    ),
    "cache-front-dropped-chunks": Case(
        intersection(causal, chunked(50)), sq=3, sk=133, heads=4, groups=2, **DROPPED
    ),
    "cache-front-dropped-streaming": Case(
        streaming(4, 60), sq=2, sk=133, heads=8, groups=4, d=64, dtype="f16", **DROPPED
    ),
    "cache-front-dropped-prefill": Case(
        sliding_window(100, 0), sq=70, sk=133, d=64, dynamic=True, **DROPPED
    ),
    # A row that is global in some sequences only, and no row of others.
    "cache-global-rows": Case(
        intersection(causal, longformer(36, [52])), sq=2, sk=200, heads=3, groups=3,
        key_lengths=(183, 53, 54, 52, 200, 1)
    ),
    "cache-global-rows-dynamic": Case(
        intersection(causal, longformer(36, [52])), sq=2, sk=200, heads=8, groups=4,
        key_lengths=(183, 53, 54, 52, 200, 1), dynamic=True, d=64, dtype="bf16"
    ),
    "cache-global-rows-dropped": Case(
        intersection(causal, longformer(36, [152])), sq=2, sk=200, heads=8, groups=4,
        key_position=(0, 100, 53, 100), key_lengths=(153, 53, 100, 54)
    ),
    "cache-global-rows-sinks": Case(
        union(causal, global_([1, 13])), sq=4, sk=97, heads=4, groups=4, dtype="f16",
        key_lengths=(4, 97, 14, 1, 20) * 20, sinks=(1.0, 0.5, -1.0, 2.0)
    ),
    "cache-sinks": Case(
        causal, sq=1, sk=133, heads=8, groups=4, sinks=tuple(range(8)), **DROPPED
    ),
    "positions-bias": Case(near, key_position=PLACES, bias="bhqk"),
    "positions-bias-of-keys": Case(
        causal, key_position=PLACES, key_begin=(0, 3, 20, 64, 1, 5), bias="1hqk", sq=130
    ),
    "positions-slopes": Case(causal, key_position=PLACES, slopes=(0.5, 0.125)),
    "positions-score": Case(
        causal, key_position=(0, 5, 64, 131, 1000, 64), score="positions",
        query_position=(0, 9, 70, 200, 1000, 130),
    ),
    "positions-score-table": Case(
        near, key_position=(0, 5, 64, 131), score="key-table", sq=100, batch=4
    ),
    "positions-documents": Case(packed, documents="packed", key_position=PLACES),
    "positions-documents-begin": Case(
        document, documents="packed", key_position=(0, 5, 64, 131), sq=230,
        key_begin=(3, 90, 64, 1), dynamic=True
    ),
    "positions-documents-queries": Case(
        document, documents="again", key_position=(0, 5, 64, 131), sk=200,
        query_position=(70, 5, 0, 300), d=64, dtype="bf16"
    ),
    "positions-documents-none": Case(
        document, documents="packed", key_lengths=(0, 40), query_lengths=(97, 97),
        key_position=(7, 5)
    ),
    "positions-documents-decode": Case(
        packed, documents="again", sq=1, sk=133, heads=8, groups=4, d=64, batch=4,
        key_position=(0, 5, 64, 131)
    ),
}
