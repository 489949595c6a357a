#!/usr/bin/env python3
"""A tuning sweep: tiles, stages and warps of the same function, interleaved.

    python3 bench/gpu/build.py -o DIR --variants=causal,longformer    # with the compiler
    python3 bench/gpu/variants.py --packages DIR --output FILE        # on the GPU

Takes the options of run.py. The first variant of a function is the compiler's own
choice, to which the others are compared; PyTorch's FlashAttention backend stands by.
"""

import argparse
import sys
from functools import partial
from typing import Any

import peers
import run
from cases import Case, shaped
from harness import Item
from measuring import Field, Session, add_speedups, make_ours, prepare, require_memory
from packages import BenchError, Build, BuiltVariant, Function

LENGTHS = (16384, 4096, 65536)
DEFAULT = "compiler's choice"


def short_name(built: BuiltVariant) -> str:
    """What differs from the compiler's choice."""
    v = built.variant
    given = {"q": v.tile_queries, "k": v.tile_keys, "warps": v.warps}
    parts = [f"{name} {value}" for name, value in given.items() if value]
    parts += [f"stages {v.stages}"] if v.tile_queries else []
    parts += [f"splits {v.heavy_splits}"] if v.heavy_splits != 64 else []
    return ", ".join(parts) or DEFAULT


def sweep(session: Session, case: Case, function: Function,
          variants: list[BuiltVariant]) -> dict[str, Any]:
    """All variants of a function on one shape."""
    result: dict[str, Any] = {"kind": "variants", "function": function.name, **case.describe()}
    # Each has an output of its own.
    require_memory(session, 2 * case.input_bytes + (len(variants) + 2) * case.output_bytes)
    field = Field(session, case)
    for built in variants:
        name = short_name(built)
        field.results[name] = {"resources": built.resources}
        if built.error:
            field.results[name]["error"] = built.error
            continue

        def maker(*_: Any, name: str = name, built: BuiltVariant = built) -> peers.Contestant:
            return make_ours(session, field.inputs[0], function.name, name,
                             built.variant.name, case.pattern)

        for entry in prepare(session, case, iter([(name, maker)])):
            field.enter(*entry)
    causal = case.pattern.is_causal
    flash = peers.make_sdpa("sdpa_flash", peers.GPU_BACKENDS["sdpa_flash"], causal)
    for entry in prepare(session, case, iter([("sdpa_flash", flash)])):
        field.enter(*entry)
    field.time()
    add_speedups(field.results, DEFAULT)
    result["contestants"] = field.results
    result["device_state"] = session.device.state()
    return result


def make_items(args: argparse.Namespace, build: Build, session: Session) -> list[Item]:
    functions = {built.variant.function.name: built.variant.function
                 for built in build.variants.values()}
    if not functions:
        raise BenchError(f"{build.directory} has no variants; make them with"
                                   " `build.py --variants`")
    items = []
    for n in (128,) if args.smoke else LENGTHS:
        for function in functions.values():
            size = function.head_size
            if not run.is_wanted(args, function.pattern.name, size):
                continue
            case = (Case(function.pattern, function.dtype, 1, 2, 2, n, size) if args.smoke
                    else shaped(function.pattern.name, n, size, function.dtype, False))
            if args.lengths is not None and n not in args.lengths:
                continue
            mine = [built for built in build.variants.values()
                    if built.variant.function == function]
            items.append(run.make_item(
                session, case.key.replace("case/", "variants/", 1), function.name,
                args.case_limit,
                partial(sweep, session, case, function, mine)))
    return items


if __name__ == "__main__":
    sys.exit(run.main(kind="gpu_variants", make=make_items,
                      description=__doc__.splitlines()[0]))
