#!/usr/bin/env python3
"""What data costs on the CPU, in one run on one machine.

Measures sparse-attn-run in interleaved rounds, on one thread: causal attention with
each modifier of scores beside the plain one; sequences of different lengths, in one
call that takes their lengths, beside each of them in a call of its own; and documents
of a packed sequence, told at run time, beside a mask that has them as rectangles. Every
run checks some of its rows against double precision. Reports medians and ratios. Memory
stays with the process from one repeat to the next, as a caller's does: the pages of a
fresh result of many megabytes are the system's time, not the attention's.
"""

import argparse
import itertools
import os
import random
import statistics

import common

CAUSAL = "#sparse_attn.causal"
KEEPS_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 33),
}


def module(shape, extra="", arguments="", attributes="", lines="", mask=CAUSAL):
    """Attention of (B, H, S, D) queries and keys, with more of what an op may have."""
    tensor = f"tensor<{'x'.join(map(str, shape))}xf32>"
    return f"""\
func.func @attention(%q: {tensor}, %k: {tensor}, %v: {tensor}{arguments}) -> {tensor} {{
  {lines}
  %init = tensor.empty() : {tensor}
  %o = sparse_attn.attention mask({mask}) {attributes}
      ins(%q, %k, %v : {tensor}, {tensor}, {tensor}) {extra}
      outs(%init : {tensor}) -> {tensor}
  return %o : {tensor}
}}
"""


def data(name, tensor):
    """The argument and the operand of that name."""
    return {"arguments": f", %{name}: {tensor}", "extra": f"data({name} = %{name} : {tensor})"}


def modified(shape):
    """Modules by modifier."""
    _, heads, length, _ = shape
    return {
        "plain": module(shape),
        "softcap": module(shape, attributes="softcap(30.0)"),
        "sinks": module(shape, **data("sinks", f"tensor<{heads}xf32>")),
        "slopes": module(shape, **data("slopes", f"tensor<{heads}xf32>")),
        "bias_of_keys": module(shape, **data("bias", f"tensor<{length}xf32>")),
        "bias": module(shape, **data("bias", f"tensor<{heads}x{length}x{length}xf32>")),
    }


def ragged(lengths, heads, dim):
    """All sequences in one call."""
    batch, most = len(lengths), max(lengths)
    kind = f"tensor<{batch}xi32>"
    return module(
        (batch, heads, most, dim),
        extra=f"data(query_lengths = %n : {kind}, key_lengths = %n : {kind})",
        lines=f"%n = arith.constant dense<{lengths}> : {kind}",
    )


def rectangle(begin, end):
    """Rows and keys from `begin` to `end`."""
    def inside(mask):
        before = f", #sparse_attn.complement<{mask(begin)}>" if begin else ""
        return mask(end) + before

    rows = inside(lambda n: f"#sparse_attn.global<first = {n}, direction = rows>")
    keys = inside(lambda n: f"#sparse_attn.prefix<length = {n}>")
    return f"#sparse_attn.intersection<{rows}, {keys}>"


def documents(lengths, heads, dim):
    """Modules of a packed sequence by how its documents are told."""
    ends = list(itertools.accumulate(lengths))
    union = ", ".join(rectangle(*ends_of) for ends_of in zip([0, *ends], ends))
    shape = (1, heads, ends[-1], dim)
    kind = f"tensor<1x{ends[-1]}xi32>"
    ids = [[number for number, length in enumerate(lengths) for _ in range(length)]]
    return {
        "rectangles": module(
            shape, mask=f"#sparse_attn.intersection<{CAUSAL}, #sparse_attn.union<{union}>>"),
        "documents": module(
            shape, mask=f"#sparse_attn.intersection<{CAUSAL}, #sparse_attn.document>",
            extra=f"data(documents = %ids : {kind})",
            lines=f"%ids = arith.constant dense<{ids}> : {kind}"),
    }


def seconds(text, args):
    result, _ = common.run_attention(text, repeat=args.repeat, threads=1, check_rows=4)
    if not result["passed"]:
        raise SystemExit(f"wrong rows:\n{text}")
    return result["seconds"]


def measure_modifiers(args):
    shape = (1, args.heads, args.length, args.dim)
    modules, times = modified(shape), {}
    for _ in range(args.rounds):
        for name, text in modules.items():
            times.setdefault(name, []).append(seconds(text, args))
    medians = {name: statistics.median(some) for name, some in times.items()}
    return {
        "shape": shape,
        "measured": {
            name: {"seconds": median, "times_plain": median / medians["plain"]}
            for name, median in medians.items()
        },
    }


def measure_ragged(args):
    rng = random.Random(1)
    lengths = [rng.randrange(1, args.most + 1) for _ in range(args.sequences)]
    together, alone = [], []
    for _ in range(args.rounds):
        together.append(seconds(ragged(lengths, args.heads, args.dim), args))
        alone.append(
            [seconds(module((1, args.heads, n, args.dim)), args) for n in lengths]
        )
    one = statistics.median(together)
    all_calls = sum(map(statistics.median, zip(*alone)))
    return {
        "lengths": lengths, "heads": args.heads, "dim": args.dim,
        "one_call_seconds": one, "calls_of_each_seconds": all_calls,
        "ratio": one / all_calls,
    }


def measure_documents(args):
    rng = random.Random(2)
    lengths = [rng.randrange(192, 321) for _ in range(args.documents)]
    modules, times = documents(lengths, args.heads, args.dim), {}
    for _ in range(args.rounds):
        for name, text in modules.items():
            times.setdefault(name, []).append(seconds(text, args))
    medians = {name: statistics.median(some) for name, some in times.items()}
    return {
        "lengths": lengths, "heads": args.heads, "dim": args.dim, "seconds": medians,
        "ratio": medians["documents"] / medians["rectangles"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=2048)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--sequences", type=int, default=64)
    parser.add_argument("--most", type=int, default=1024, help="longest sequence")
    parser.add_argument("--documents", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    os.environ.update(KEEPS_MEMORY)
    common.write_results("cpu_data", {
        **common.machine(),
        "modifiers": measure_modifiers(args),
        "ragged": measure_ragged(args),
        "documents": measure_documents(args),
    })


if __name__ == "__main__":
    main()
