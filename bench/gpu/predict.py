#!/usr/bin/env python3
"""Predicts the speed of the benchmark's kernels, without a GPU.

    python3 bench/gpu/predict.py

Compiles them, replays their SASS on one multiprocessor, adds what a block does beside its
loops, all blocks of the grid, memory and the gaps between launches, and writes
bench/results/gpu_predicted.json. It is a prediction; a measurement replaces it.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import shlex
import sys
import sysconfig
import tempfile
from typing import Any

import predicted_peers
import prediction
from build import ROOT, commit, run, tool
from documents import RESULTS
from launches import Package
from packages import BenchError
from predicted_cases import DTYPE, GOALS, HEAD_SIZES, TOKENS, Predicted, predicted_cases
from replay.chips import CHIPS, Chip
from store import Store

# Where PyPI's nvidia-cuda-nvcc and nvidia-cuda-nvdisasm put their tools.
CUDA_TOOLS = pathlib.Path(sysconfig.get_path("purelib"), "nvidia", "cu13", "bin")
MODEL = {
    "calibration": prediction.CALIBRATION,
    "uncertainty": prediction.UNCERTAINTY,
    "between_kernels": 0.07,
    "launch_gap_seconds": prediction.LAUNCH_GAP,
    "dram_efficiency": prediction.DRAM_EFFICIENCY,
    "assumptions": [
        "The calibration is that of FlashAttention-2, published speed over the model's, at head"
        " sizes 64 and 128 on A100 and H100. Comparisons of kernels hold to about 7%.",
        "Each array moves between memory and chip once; what is read again is in the"
        " second-level cache, 300 cycles away, which gives a multiprocessor 40 bytes a cycle.",
        "All blocks run as those of mean length do, beside their loops. The path for operands"
        " that are not trusted is not taken; of two sides of a branch in a loop the longer is.",
        "The parts of heavy rows share their tiles evenly. Lists of random blocks are made by"
        " loops of which inner ones run once.",
        "The fence that comes before an arrival at an mbarrier on sm_80 takes 20 cycles, and does"
        " not wait for copies; a warp that waits at an mbarrier takes no issue slots.",
        "No misses of the instruction cache, no conflicts of register banks, no clock that"
        " sinks by power.",
    ],
}


def version(name: str) -> str:
    """Of a tool of CUDA, as it says it."""
    match = re.search(r"V(\d[\d.]*)", run([name, "--version"]))
    return match[1] if match else "unknown"


def inspect(module: pathlib.Path, architecture: str,
            args: argparse.Namespace) -> dict[str, Any]:
    """What is to be known of its only attention."""
    said = run([tool(args.build, "sparse-attn-inspect"), module, f"--target={architecture}",
                "--format=json"])
    attention: dict[str, Any]
    attention, = json.loads(said)["attentions"]
    return attention


def compile_case(case: Predicted, args: argparse.Namespace, folder: pathlib.Path) -> pathlib.Path:
    """Into a folder that all cases of one function and size class share."""
    package = folder / (case.function.name + ("_fixed" if case.fixed else ""))
    if not package.exists():
        module = folder / (package.name + ".mlir")
        module.write_text(case.module())
        targets = ",".join(sorted({CHIPS[name].architecture for name in args.chips}))
        run([tool(args.build, "sparse-attn-compile"), module, f"--target={targets}",
             "--emit=ptx,cubin,manifest", "-o", package])
        # Manifests do not list the tiles of tables.
        for target in targets.split(",") if case.fixed else ():
            for table in inspect(module, target, args)["tables"]:
                (package / f"table.{target}.json").write_text(json.dumps(table))
    return package


def visited_pairs(case: Predicted, args: argparse.Namespace, folder: pathlib.Path,
                  chip: Chip) -> int:
    """Of all batches and heads, as sparse-attn-inspect counts them for this size."""
    module = folder / "inspected.mlir"
    module.write_text(case.fixed_module())
    return case.sizes.batches * int(inspect(module, chip.architecture, args)["visited_pairs"])


def predict_case(case: Predicted, package: pathlib.Path, chip: Chip,
                 args: argparse.Namespace) -> dict[str, object]:
    function, sizes = case.function, case.sizes
    result = prediction.predict(Package.read(package, function, chip.architecture), sizes,
                                case.useful_flops, chip, "nvdisasm")
    if case.most_over_bound:
        result |= {"visited_pairs": visited_pairs(case, args, package.parent, chip),
                   "most_over_bound": case.most_over_bound,
                   "dram_seconds": sum(launch["dram_bytes"] for launch in result["launches"])
                   / chip.dram_bytes_per_second}
    return {
        "kind": "prediction", "chip": chip.name, "pattern": function.pattern.name,
        "case": case.name, "title": case.title, "mask": function.pattern.mask,
        "dtype": function.dtype, "head_size": function.head_size, "batches": sizes.batches,
        "heads": sizes.heads, "key_heads": sizes.key_heads, "queries": sizes.queries,
        "n": sizes.keys, "sizes_known": case.fixed, "live_pairs": case.live_pairs,
        "goal_tflops": GOALS.get((chip.name, function.head_size), {}).get(case.name),
        **result,
    }


def header(args: argparse.Namespace) -> dict[str, object]:
    return {
        "kind": "gpu_predicted",
        "date": datetime.date.today().isoformat(),
        "commands": [shlex.join(["python3", "bench/gpu/predict.py", *args.argv])],
        "build": {"commit": commit(), "target": ",".join(args.chips)},
        "versions": {name: version(name) for name in ("ptxas", "nvdisasm")},
        "model": MODEL,
        "peers": predicted_peers.describe(TOKENS),
    }


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=pathlib.Path,
                        default=RESULTS / "gpu_predicted.json")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="the build tree with the compiler")
    parser.add_argument("--chips", default="A100,H100,H200", help=f"of {', '.join(CHIPS)}")
    parser.add_argument("--head-sizes", default=",".join(map(str, HEAD_SIZES)))
    parser.add_argument("--cases", help="names, by comma; all by default")
    args = parser.parse_args(argv)
    args.argv = argv
    args.chips = args.chips.split(",")
    if unknown := [name for name in args.chips if name not in CHIPS]:
        parser.error(f"unknown chip {unknown[0]}; there are {', '.join(CHIPS)}")
    try:
        sizes = tuple(int(size) for size in args.head_sizes.split(","))
    except ValueError:
        parser.error("--head-sizes takes integers, by comma")
    cases = predicted_cases(sizes)
    known = list(dict.fromkeys(case.name for case in cases))
    names = args.cases.split(",") if args.cases else known
    if unknown := [name for name in names if name not in known]:
        parser.error(f"unknown case {unknown[0]}; there are {', '.join(known)}")
    args.chosen = [case for case in cases if case.name in names]
    return args


def predict_all(args: argparse.Namespace) -> None:
    store = Store.create(args.output, header(args))
    with tempfile.TemporaryDirectory() as folder:
        for case in args.chosen:
            package = compile_case(case, args, pathlib.Path(folder))
            for name in args.chips:
                result = predict_case(case, package, CHIPS[name], args)
                store.add(f"prediction/{name}/{case.name}/{DTYPE}/d{case.function.head_size}",
                          result)
                print(f"{name} {case.title}, D = {case.function.head_size}: predicted"
                      f" {result['useful_tflops']} useful TFLOP/s", flush=True)


def main(argv: list[str] | None = None) -> None:
    args = parse_arguments(sys.argv[1:] if argv is None else argv)
    os.environ["PATH"] = f"{CUDA_TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        predict_all(args)
    except (BenchError, FileNotFoundError) as error:
        sys.exit(f"predict.py: {error}")


if __name__ == "__main__":
    main()
