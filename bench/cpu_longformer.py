#!/usr/bin/env python3
"""Longformer on the CPU against PyTorch, in one run on one machine.

Measures, in interleaved rounds so that a slow minute of the machine meets all
of them: sparse-attn-run; PyTorch's dense scaled_dot_product_attention, what a
user without sparsity pays; the same with the boolean mask; and FlexAttention
compiled with the same mask. Reports medians and useful GFLOP/s: operations on
live pairs for the sparse ones, on all pairs for dense.
"""

import argparse
import statistics
import time

import common

MASK = "#sparse_attn.longformer<window = {window}, global_tokens = [0]>"


def make_competitors(args):
    """Name -> function that runs once, or the error that prevents it."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    n, half = args.length, args.window // 2
    shape = (1, args.heads, n, args.dim)
    q, k, v = (torch.randn(shape) for _ in range(3))
    position = torch.arange(n)
    i, j = position[:, None], position[None, :]
    mask = ((i - j).abs() <= half) | (i == 0) | (j == 0)

    competitors = {
        "torch_dense": lambda: scaled_dot_product_attention(q, k, v),
        "torch_masked": lambda: scaled_dot_product_attention(
            q, k, v, attn_mask=mask
        ),
    }
    expected = competitors["torch_masked"]()
    try:
        flex = make_flex(n, half, q, k, v)
        error = (flex() - expected).abs().max().item()
        if not error < 1e-4:
            raise RuntimeError(f"differs from the masked result by {error}")
        competitors["torch_flex"] = flex
    except Exception as error:  # What a user of it would see.
        lines = str(error).strip().splitlines() or [""]
        competitors["torch_flex"] = f"{type(error).__name__}: {lines[0]}"
    return competitors


def make_flex(n, half, q, k, v):
    import torch
    from torch.nn.attention.flex_attention import (
        create_block_mask,
        flex_attention,
    )

    def mask_mod(b, h, i, j):
        return ((i - j).abs() <= half) | (i == 0) | (j == 0)

    block_mask = create_block_mask(mask_mod, None, None, n, n, device="cpu")
    compiled = torch.compile(flex_attention)

    def run():
        with torch.no_grad():
            return compiled(q, k, v, block_mask=block_mask)

    run()
    return run


def time_once(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(args, competitors):
    """Seconds of each round, by name; each name's first run is not timed."""
    module = common.attention_module(
        MASK.format(window=args.window),
        (1, args.heads, args.length, args.dim),
    )
    seconds = {"sparse_attn": []} if not args.only_torch else {}
    check = None
    for function in competitors.values():
        if callable(function):
            function()
    for _ in range(args.rounds):
        if not args.only_torch:
            # The tool's own median of a few runs: its compilation and inputs
            # are outside.
            check, _ = common.run_attention(
                module, repeat=5, threads=args.threads, check_rows=8
            )
            seconds["sparse_attn"].append(check["seconds"])
        for name, function in competitors.items():
            if callable(function):
                seconds.setdefault(name, []).append(time_once(function))
    return seconds, check


def summarise(args, seconds, competitors):
    live = args.heads * common.longformer_pairs(args.length, args.window)
    dense = args.heads * args.length**2
    result = {}
    for name, times in seconds.items():
        median = statistics.median(times)
        pairs = dense if name == "torch_dense" else live
        result[name] = {
            "seconds": median,
            "fastest": min(times),
            "rounds": len(times),
            "useful_gflops": 4 * args.dim * pairs / median / 1e9,
        }
    for name, error in competitors.items():
        if not callable(error):
            result[name] = {"error": error}
    if "sparse_attn" in result:
        ours = result["sparse_attn"]["seconds"]
        for entry in result.values():
            if "seconds" in entry:
                entry["times_ours"] = entry["seconds"] / ours
    return {"live_pairs": live, "dense_pairs": dense, "measured": result}


def main():
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only-torch", action="store_true",
                        help="measure PyTorch alone, and write no file")
    args = parser.parse_args()

    competitors = make_competitors(args)
    seconds, check = measure(args, competitors)
    results = {
        **common.machine(),
        "torch": torch.__version__,
        "shape": [1, args.heads, args.length, args.dim],
        "dtype": "f32",
        "window": args.window,
        "threads": args.threads,
        **summarise(args, seconds, competitors),
    }
    if check:
        results["max_abs_error"] = check["max_abs_error"]
        results["passed"] = check["passed"]
    for name, entry in results["measured"].items():
        if "error" in entry:
            print(f"{name:14} {entry['error']}")
            continue
        ratio = entry.get("times_ours")
        print(f"{name:14} {entry['seconds'] * 1e3:9.2f} ms"
              f" {entry['useful_gflops']:8.1f} useful GFLOP/s"
              + (f" {ratio:7.2f} x ours" if ratio else ""))
    if not args.only_torch:
        common.write_results("cpu_longformer", results)


if __name__ == "__main__":
    main()
