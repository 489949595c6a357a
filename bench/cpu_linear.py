#!/usr/bin/env python3
"""Does time grow with the length, not with its square; and what else it takes.

Three measurements on the CPU: a sliding window at lengths 4K to 256K, with the
slope of log time over log length (1 is linear, 2 is dense); the peak memory of
a whole process at 262144 tokens; and, for each example, how long compiling it
and the whole way from MLIR to a result take.
"""

import argparse
import json
import math

import common

WINDOW = "#sparse_attn.sliding_window<left = 256, right = 256>"
LONGFORMER = "#sparse_attn.longformer<window = 512, global_tokens = [0]>"
# Where sizes are `?` in an example.
SHAPES = {"decode.mlir": ["--shape=Sq=1", "--shape=Sk=8192"]}


def fit_slope(points):
    """Least squares of log seconds over log length."""
    xs = [math.log(n) for n, _ in points]
    ys = [math.log(seconds) for _, seconds in points]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / sum(
        (x - mean_x) ** 2 for x in xs
    )


def measure_lengths(args):
    lengths = [4096 << step for step in range(args.steps)]
    times = {n: [] for n in lengths}
    # All lengths in each round, so that a slow minute meets all of them.
    for _ in range(args.rounds):
        for n in lengths:
            module = common.attention_module(WINDOW, (1, 1, n, 64))
            result, _ = common.run_attention(module, 5, args.threads)
            times[n].append(result["seconds"])
    rows = []
    for n in lengths:
        seconds = sorted(times[n])[len(times[n]) // 2]
        flops = 4 * 64 * common.sliding_window_pairs(n, 256, 256)
        rows.append({"length": n, "seconds": seconds,
                     "useful_gflops": flops / seconds / 1e9})
        print(f"n = {n:7} {seconds * 1e3:9.2f} ms"
              f" {rows[-1]['useful_gflops']:8.1f} useful GFLOP/s")
    slope = fit_slope([(row["length"], row["seconds"]) for row in rows])
    print(f"slope of log time over log length: {slope:.3f}")
    return {"mask": WINDOW, "lengths": rows, "slope": slope}


def measure_memory(args):
    n, dim = 4096 << (args.steps - 1), 64
    module = common.attention_module(LONGFORMER, (1, 1, n, dim))
    result, run = common.run_attention(module, 1, args.threads, check_rows=4)
    tensors = 4 * n * dim * 4
    print(f"longformer at {n}: peak {run.peak_rss_bytes / 2**20:.0f} MiB, of"
          f" which {tensors / 2**20:.0f} MiB are Q, K, V and O;"
          f" {run.wall_seconds:.2f} s from MLIR to checked result")
    return {
        "mask": LONGFORMER, "length": n, "seconds": result["seconds"],
        "passed": result["passed"], "wall_seconds": run.wall_seconds,
        "peak_rss_bytes": run.peak_rss_bytes, "tensor_bytes": tensors,
    }


def measure_examples(args):
    rows = []
    for path in sorted((common.ROOT / "examples").glob("*.mlir")):
        name = f"examples/{path.name}"
        compiled = common.run_process(
            [common.tool("sparse-attn-opt"), "--sparse-attn-cpu-pipeline",
             name, "-o", "/dev/null"]
        )
        command = [common.tool("sparse-attn-run"), name, "--device=cpu",
                   "--repeat=1", f"--threads={args.threads}", "--json"]
        run = common.run_process(command + SHAPES.get(path.name, []))
        output = json.loads(run.output)
        output = output[0] if isinstance(output, list) else output
        rows.append({
            "example": path.name,
            "pipeline_wall_seconds": compiled.wall_seconds,
            "run_wall_seconds": run.wall_seconds,
            "kernel_seconds": output["seconds"],
            "compile_seconds": output.get("compile_seconds"),
            "peak_rss_bytes": run.peak_rss_bytes,
        })
        print(f"{path.name:34} pipeline {compiled.wall_seconds:6.2f} s,"
              f" MLIR to result {run.wall_seconds:6.2f} s,"
              f" kernel {output['seconds']:8.4f} s")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=7,
                        help="lengths: 4096 doubled STEPS - 1 times")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    common.write_results("cpu_linear", {
        **common.machine(),
        "threads": args.threads,
        "window": measure_lengths(args),
        "memory": measure_memory(args),
        "examples": measure_examples(args),
    })


if __name__ == "__main__":
    main()
