"""Cases of documents of packed sequences."""

from attention import Case
from masks import (
    bigbird,
    causal,
    chunked,
    complement,
    document,
    global_,
    intersection,
    longformer,
    prefix,
    random,
    sliding_window,
    sparse_transformer_fixed,
    sparse_transformer_strided,
    streaming,
    strided,
    union,
)
from usual import LENGTHS, OTHERS, near, packed

CASES = {
    "documents": Case(document, documents="packed"),
    "documents-causal": Case(packed, documents="packed", d=64, dtype="bf16"),
    "documents-dynamic": Case(packed, documents="packed", dynamic=True, dtype="f16"),
    "documents-one": Case(packed, documents="one", sq=200),
    "documents-none": Case(packed, documents="none"),
    "documents-tokens": Case(document, documents="tokens"),
    "documents-descending": Case(packed, documents="descending", sq=230, dynamic=True),
    "documents-unsorted": Case(document, documents="unsorted", sq=230),
    "documents-padded": Case(packed, documents="padded", sq=200),
    "documents-scattered": Case(document, documents="scattered", dtype="f16"),
    "documents-again": Case(document, documents="again", sq=230, d=64, dtype="bf16"),
    "documents-long": Case(document, documents="packed", sq=400, batch=2),
    "documents-window": Case(
        intersection(near, document), documents="packed", dynamic=True
    ),
    "documents-window-sinks": Case(
        intersection(near, document), documents="padded", sinks=(0.5, -1.0), sq=130
    ),
    "documents-global": Case(
        union(intersection(near, document), global_([0, 50])), documents="packed", sq=200
    ),
    "documents-global-dynamic": Case(
        union(intersection(near, document), global_([0, -1])), documents="packed",
        sq=200, dynamic=True, d=64, dtype="bf16",
    ),
    "documents-inside-global": Case(
        intersection(longformer(16, [0, 9]), document), documents="packed", sq=200
    ),
    "documents-or-causal": Case(union(document, sliding_window(5, 0)), documents="padded"),
    "documents-complement": Case(
        intersection(causal, complement(document)), documents="packed", dtype="bf16"
    ),
    "documents-complement-union": Case(
        complement(union(document, strided(5))), documents="padded", sq=130
    ),
    "documents-twice": Case(
        union(intersection(document, chunked(40)), intersection(document, prefix(9))),
        documents="again",
    ),
    "documents-chunked": Case(
        intersection(causal, chunked(20), document), documents="packed"
    ),
    "documents-dilated": Case(
        intersection(sliding_window(7, 2, dilation=5), document), documents="packed"
    ),
    "documents-strided": Case(
        intersection(sparse_transformer_strided(12), document), documents="packed"
    ),
    "documents-fixed": Case(
        intersection(sparse_transformer_fixed(12, 3), document), documents="unsorted",
        dynamic=True,
    ),
    "documents-streaming": Case(
        intersection(streaming(4, 20), document), documents="packed", sq=200
    ),
    "documents-random": Case(
        intersection(random(16, 2), document), documents="packed", sq=130
    ),
    "documents-or-random": Case(
        union(random(16, 1), packed), documents="padded", sq=230
    ),
    "documents-everywhere-or-random": Case(
        union(random(16, 2), document), documents="packed", sq=230
    ),
    "documents-none-or-random": Case(
        union(document, random(48, 1, per_head=False)), documents="none", sq=200
    ),
    "documents-some-or-random": Case(
        union(document, random(16, 2)), documents="padded", sq=200, dynamic=True
    ),
    "documents-no-keys": Case(
        intersection(near, complement(document)), documents="packed", sq=7,
        key_lengths=(-1, 3, 0, 7) * 40
    ),
    "documents-bigbird": Case(
        intersection(bigbird(16, 3, 2), document), documents="again", sq=230, dynamic=True
    ),
    "documents-more-keys": Case(packed, documents="packed", sq=50, sk=131),
    "documents-more-queries": Case(
        document, documents="scattered", sq=131, sk=50, batch=20
    ),
    "documents-groups": Case(packed, documents="packed", heads=4, groups=2, d=64),
    "documents-decode": Case(
        packed, documents="again", sq=1, sk=133, heads=8, groups=4, d=64, batch=3
    ),
    "documents-decode-window": Case(
        intersection(sliding_window(30, 0), document), documents="packed", sq=2, sk=133,
        heads=8, groups=4, batch=3, dynamic=True, dtype="bf16",
    ),
    "documents-lengths": Case(
        packed, documents="packed", query_lengths=LENGTHS, key_lengths=OTHERS
    ),
    "documents-lengths-global": Case(
        union(intersection(near, document), global_([0, -1])), documents="padded",
        query_lengths=LENGTHS, key_lengths=LENGTHS, dynamic=True, dtype="f16",
    ),
    "documents-slopes": Case(packed, documents="packed", slopes=(0.5, 0.125)),
    "documents-table": Case(packed, documents="packed", score="key-table", sq=130),
    "documents-nan": Case(packed, documents="packed", spoil="nan-value", batch=2, sq=130),
    "documents-no-lse": Case(packed, documents="packed", lse=False, dtype="f16"),
}
