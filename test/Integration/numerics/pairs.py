"""What a plan says that code computes, and what the code says when it runs."""

import dataclasses
import json
import os
import subprocess

from attention import Case, module_text
from masks import (
    causal,
    chunked,
    documents,
    full,
    global_,
    intersection,
    periodic_columns,
    periodic_rows,
    sliding_window,
    union,
)
from test_numerics import CASES as NUMERICS

INSPECT = os.environ.get("SPARSE_ATTN_INSPECT", "sparse-attn-inspect")
RUN = os.environ.get("SPARSE_ATTN_RUN", "sparse-attn-run")
TIMEOUT_SECONDS = 300


def counted(cases):
    """A variant for lengths that are known at run time only has another plan than the one
    that inspect sees, what data leaves of a plan is not in it, and of operands that
    are not trusted tiles are computed again. Of cases whose plans are the same one is
    enough."""
    chosen = {}
    for name, case in cases.items():
        is_known = not case.dynamic and not case.pairs_are_data and not case.page
        if is_known and case.spoil is None and case.magnitude == 1:
            decides = (case.mask.text, case.sq, case.keys, case.heads, case.groups, case.d)
            chosen.setdefault(decides, (name, dataclasses.replace(case, batch=1, lse=False)))
    return dict(chosen.values())


def of(mask, sq=300, sk=None, **more):
    return Case(mask, sq=sq, sk=sk, d=64, batch=1, **more)


near = sliding_window(40, 40)
# Lists of fewer tokens than a tile has slots, and of more.
FEW, MANY = [29 * i + 3 for i in range(9)], [13 * i + 3 for i in range(75)]
RAGGED = [40 + 37 * i % 61 for i in range(12)]
OWN = {
    "columns-list": of(union(near, global_(FEW, direction="columns"))),
    "columns-long-list": of(union(near, global_(MANY, direction="columns")), sq=1000),
    "rows-list": of(union(near, global_(FEW, direction="rows"))),
    "rows-and-columns-list": of(union(near, global_(MANY)), sq=1000),
    "rows-list-more-keys": of(union(near, global_(MANY)), sq=700, sk=1000),
    "columns-lattice": of(
        intersection(causal, union(chunked(64), periodic_columns(64, 4))), sq=1000
    ),
    "rows-lattice": of(
        intersection(causal, union(chunked(128), periodic_rows(128, 32),
                                   periodic_columns(128, 32))), sq=1000
    ),
    "rows-lattice-more-keys": of(
        intersection(causal, union(chunked(128), periodic_rows(128, 32))), sq=500, sk=1111
    ),
    "rows-lattice-more-queries": of(
        intersection(causal, union(chunked(128), periodic_rows(128, 32))), sq=900, sk=777
    ),
    "folded": of(sliding_window(32, 32, 4), sq=1000),
    "folded-ragged": of(sliding_window(32, 32, 8), sq=333, sk=445),
    "parts": of(
        intersection(causal, union(sliding_window(63, 0), sliding_window("unbounded", 0, 64))),
        sq=2048,
    ),
    "documents-64": of(documents(*RAGGED), sq=sum(RAGGED)),
    "documents-64-causal": of(intersection(causal, documents(*RAGGED)), sq=sum(RAGGED)),
    "decode-group-4": of(full, sq=1, sk=1000, heads=8, groups=4),
    "decode-group-3": of(causal, sq=2, sk=133, heads=6, groups=3),
    "few-rows": of(causal, sq=20, sk=999, heads=8, groups=4),
}
CASES = counted(NUMERICS) | OWN


def _json(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def planned_multiply_adds(case, target, folder):
    """Two products of the pairs that inspect says are computed, and the plan."""
    path = folder / "module.mlir"
    path.write_text(module_text(case))
    (said,) = _json(INSPECT, path, f"--target={target}", "--format=json")["attentions"]
    return said["computed_pairs"] * case.batches * (case.d + case.value_size), said["plan"]


def counted_multiply_adds(case, folder, *options):
    """Those of one run."""
    path = folder / "module.mlir"
    path.write_text(module_text(case))
    return _json(RUN, path, "--json", *options)["multiply_adds"]
