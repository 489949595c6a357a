#!/usr/bin/env python3
"""Checks the planner on random masks, seed by seed, and records what was run.

    python3 bench/plan_fuzz.py --first-seed 1000 --masks 1000000

Each mask, which has no more than some dozens of tokens, is planned for lengths and a tile
that are random, too, and every pair is looked at: a live one lies in one visited tile, and
a full tile has no other. The file of results says which seeds were run, of how many masks
each, and how they ended, one run after the other; it is written after each seed, so that
what a time limit leaves is what was run, and no more.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TEST = "PlanFuzzTest.EveryLivePairIsVisitedOnceAndFullTilesAreFull"


def run_seed(program: pathlib.Path, seed: int, masks: int) -> str:
    """Runs the test; what it says where it fails, or nothing."""
    variables = {"SPARSE_ATTN_FUZZ_SEED": str(seed), "SPARSE_ATTN_FUZZ_CASES": str(masks)}
    done = subprocess.run([program, f"--gtest_filter={TEST}"], env={**os.environ, **variables},
                          capture_output=True, text=True)
    # A filter that names no test passes, too.
    ran = re.search(r"^\[  PASSED  \] 1 test\.$", done.stdout, re.M)
    return "" if done.returncode == 0 and ran else (done.stdout + done.stderr)[-4000:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path,
                        default=ROOT / "build" / "unit" / "SparseAttnPlanTests")
    parser.add_argument("--masks", type=int, default=1_000_000, help="of all seeds together")
    parser.add_argument("--masks-a-seed", type=int, default=10_000)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=float("inf"),
                        help="begin no seed later than that")
    parser.add_argument("-o", "--output", type=pathlib.Path,
                        default=ROOT / "bench" / "results" / "plan_fuzz.json")
    args = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.strip()
    runs = json.loads(args.output.read_text())["runs"] if args.output.exists() else []
    start, failures, seed, masks = time.monotonic(), [], args.first_seed, 0
    while masks < args.masks and time.monotonic() - start < args.seconds:
        count = min(args.masks_a_seed, args.masks - masks)
        if failure := run_seed(args.program, seed, count):
            failures.append({"seed": seed, "says": failure})
        seed, masks = seed + 1, masks + count
        this = {
            "date": datetime.date.today().isoformat(), "commit": commit, "test": TEST,
            "first_seed": args.first_seed, "last_seed": seed - 1,
            "masks_a_seed": args.masks_a_seed, "masks": masks,
            "seconds": round(time.monotonic() - start, 1), "failures": failures}
        args.output.write_text(
            json.dumps({"kind": "plan_fuzz", "runs": [*runs, this]}, indent=2) + "\n")
    print(f"{masks} masks of seeds {args.first_seed} to {seed - 1}: {len(failures)} seeds failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
