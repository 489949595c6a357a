#!/usr/bin/env python3
"""How long compiling to PTX takes: of each example and head size, the user time of
sparse-attn-compile, the least of several runs, in all and a variant of the program.

    python3 bench/gpu/compile_times.py --chips sm_80 sm_90 --heads 64 128
"""

import argparse
import json
import pathlib
import re
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import common

TENSOR = re.compile(r"(tensor<(?:[0-9?]+x){3})\d+(x\w+>)")


def compile_once(source, chip, folder):
    """User seconds, and the manifest."""
    tool = common.tool("sparse-attn-compile")
    run = common.run_process([tool, str(source), f"--target={chip}", "--emit=ptx,manifest",
                              "-o", str(folder)])
    return run.user_seconds, json.loads((folder / "manifest.json").read_text())


def measure(text, chip, runs):
    """Least user seconds of compiling a program, and its variants."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        source = folder / "program.mlir"
        source.write_text(text)
        results = [compile_once(source, chip, folder / "package") for _ in range(runs)]
    _, manifest = results[0]
    variants = sum(len(program["variants"]) for program in manifest["programs"])
    return min(seconds for seconds, _ in results), variants


def main():
    paths = sorted((common.ROOT / "examples").glob("*.mlir"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chips", nargs="+", default=["sm_80", "sm_90"])
    parser.add_argument("--heads", nargs="+", type=int, default=[64, 128])
    parser.add_argument("--examples", nargs="+", default=[path.stem for path in paths])
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    for path in paths:
        if path.stem not in args.examples:
            continue
        for head in args.heads:
            text = TENSOR.sub(rf"\g<1>{head}\2", path.read_text())
            for chip in args.chips:
                seconds, variants = measure(text, chip, args.runs)
                print(f"{path.stem:27} {head:4} {chip:7} {seconds:5.2f} s, {variants} variants,"
                      f" {seconds / variants:.2f} s each", flush=True)


if __name__ == "__main__":
    main()
