"""Cases of keys and values in pages."""

from attention import Case
from masks import (
    bigbird,
    causal,
    chunked,
    document,
    full,
    global_,
    intersection,
    longformer,
    sliding_window,
    streaming,
    union,
)
from usual import near

LENGTHS = (192, 0, 1, 64, 150, 97)

CASES = {
    "pages": Case(causal, page=16, sq=192),
    "pages-one": Case(full, page=64, sq=40, sk=64),
    "pages-large": Case(causal, page=256, sq=130, sk=512, batch=6, d=64, dtype="bf16"),
    "pages-of-48": Case(near, page=48, sq=192, dynamic=True, dtype="f16", d=64),
    "pages-of-80": Case(full, page=80, sq=100, sk=240, d=64, dtype="bf16"),
    "pages-window": Case(near, page=32, sq=192, dynamic=True),
    "pages-longformer": Case(longformer(16, [0, 70]), page=64, sq=192),
    "pages-bigbird": Case(bigbird(16, 3, 2), page=32, sq=192, heads=3),
    "pages-shared": Case(causal, page=64, sq=192, batch=5, sharing=True),
    "pages-lengths": Case(causal, page=64, sq=192, key_lengths=LENGTHS),
    "pages-lengths-dynamic": Case(
        union(near, global_([0, -1])), page=16, sq=192, key_lengths=LENGTHS,
        query_lengths=LENGTHS, dynamic=True, dtype="f16"
    ),
    "pages-decode": Case(
        causal, page=16, sq=1, sk=192, heads=8, groups=4, d=64, dtype="f16",
        key_lengths=LENGTHS
    ),
    "pages-decode-window": Case(
        sliding_window(100, 0), page=64, sq=2, sk=192, heads=4, groups=2, d=64,
        key_lengths=LENGTHS, dynamic=True, lse=False
    ),
    "pages-decode-sinks": Case(
        streaming(4, 60), page=32, sq=1, sk=192, heads=8, groups=4, d=64,
        dtype="bf16", key_lengths=LENGTHS, sinks=tuple(range(8))
    ),
    "pages-decode-large": Case(
        causal, page=128, sq=1, sk=1024, heads=8, groups=4, d=64, batch=3, dtype="bf16", lse=False
    ),
    "pages-padding": Case(
        causal, page=32, sq=192, key_begin=(0, 5, 32, 64, 100, 192)
    ),
    # Pages that were dropped, and parts of pages.
    "pages-dropped": Case(
        sliding_window(100, 0), page=64, sq=2, sk=192, heads=4, groups=2, d=64,
        key_position=(0, 64, 128, 1024, 64, 0), key_lengths=LENGTHS, lse=False
    ),
    "pages-dropped-inside": Case(
        causal, page=64, sq=100, sk=192, key_position=(0, 5, 64, 131, 1000, -70)
    ),
    "pages-dropped-inside-f16": Case(
        near, page=16, sq=100, sk=192, key_position=(3, 5, 64, 131, 1000, 7),
        d=64, dtype="f16", dynamic=True
    ),
    "pages-dropped-inside-chunks": Case(
        intersection(causal, chunked(50)), page=32, sq=100, sk=192, d=64, dtype="bf16",
        key_position=(3, 5, 64, 131, 1000, 7), key_begin=(0, 3, 40, 64, 1, 191)
    ),
    "pages-dropped-inside-random": Case(
        bigbird(16, 3, 2), page=16, sq=100, sk=192, key_position=(3, 5, 64, 131, 0, 7)
    ),
    "pages-dropped-inside-decode": Case(
        causal, page=16, sq=1, sk=192, heads=8, groups=4, d=64, dtype="bf16",
        key_position=(3, 5, 64, 131, 1000, 7), key_lengths=LENGTHS, lse=False
    ),
    "pages-queries": Case(
        causal, page=32, sq=40, sk=192, query_position=(0, 5, 64, 131, 300, -7)
    ),
    "pages-bias": Case(causal, page=32, sq=192, bias="bhqk"),
    "pages-slopes": Case(near, page=16, sq=192, slopes=(0.5, 0.125)),
    "pages-documents": Case(
        intersection(causal, document), documents="packed", page=64, sq=192
    ),
}
