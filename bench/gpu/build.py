#!/usr/bin/env python3
"""Compiles the benchmark's kernels, where the compiler is, for a machine with a GPU.

One function a pattern, element type and head size serves all lengths, batches and
numbers of heads. The directory can be carried anywhere: run.py needs nothing else of
the build. --variants adds the packages of a tuning sweep.
"""

import argparse
import concurrent.futures
import datetime
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import packages
from packages import BenchError, Build, BuiltVariant, Function, Variant
from patterns import PATTERNS, SMALL_PATTERNS, Pattern

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What may travel to the machine with the GPU.
SIZE_LIMIT = 64 << 20
# The lengths at which the number of live pairs is compared with the compiler's.
COUNTED_LENGTHS = (1000, 4096, 16384)


def tool(folder: pathlib.Path, name: str) -> pathlib.Path:
    path = folder / "bin" / name
    if not path.exists():
        raise BenchError(f"{path} is missing; build it with scripts/build.sh, or name"
                         " another build with --build")
    return path


def run(command: list[str | pathlib.Path]) -> str:
    """A command's output; its messages are the error where it fails."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"{pathlib.Path(command[0]).name} failed: {done.stderr.strip()}")
    return done.stdout


def check_live_pairs(args: argparse.Namespace, patterns: list[Pattern]) -> None:
    """Compares the formulas of patterns.py with the compiler's exact counts."""
    inspect = tool(args.build, "sparse-attn-inspect")
    functions = [Function(pattern, "bf16", 64) for pattern in patterns]
    with tempfile.TemporaryDirectory() as folder:
        module = pathlib.Path(folder) / "masks.mlir"
        module.write_text("\n".join(function.text() for function in functions))
        for n in COUNTED_LENGTHS:
            shape = [f"--shape={name}={n}" for name in ("Sq", "Sk")]
            shape += ["--shape=B=1", "--shape=H=2"]
            report = json.loads(run([inspect, module, "--format=json", *shape]))
            for function, entry in zip(functions, report["attentions"], strict=True):
                expected = function.pattern.live_pairs(n, 2)
                if entry["live_pairs"] != expected:
                    raise BenchError(
                        f"{function.pattern.name} at {n} has {entry['live_pairs']} live"
                        f" pairs, but patterns.py says {expected}; mend its formula")


def compile_functions(args: argparse.Namespace, build: Build) -> None:
    build.module.write_text("\n".join(f.text() for f in build.functions.values()))
    shutil.rmtree(build.package, ignore_errors=True)
    run([tool(args.build, "sparse-attn-compile"), build.module,
         f"--target={args.target}", "-o", build.package])


def ptxas_resources(ptx: pathlib.Path, chip: str) -> str | None:
    """ptxas' account of each kernel; None where there is no ptxas."""
    ptxas = shutil.which("ptxas")
    if not ptxas:
        return None
    done = subprocess.run([ptxas, "-v", f"-arch={chip}", "-o", "/dev/null", str(ptx)],
                          capture_output=True, text=True)
    kernels = re.findall(
        r"Compiling entry function '(\w+)'.*?(\d+) bytes spill stores.*?"
        r"Used (\d+) registers", done.stderr, re.DOTALL)
    return "; ".join(f"{name}: {registers} registers, {spilled} bytes spilled"
                     for name, spilled, registers in kernels) or done.stderr.strip()


def chips(args: argparse.Namespace) -> list[str]:
    """The GPUs among the targets."""
    return [target for target in args.target.split(",") if target.startswith("sm_")]


def compile_variant(args: argparse.Namespace, directory: pathlib.Path,
                    variant: Variant) -> BuiltVariant:
    """For the newest chip alone. A variant that the compiler refuses is a result, too."""
    chip = chips(args)[-1]
    folder = directory / "variants" / variant.name
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as module:
        module.write(variant.function.text())
        module.flush()
        try:
            run([tool(args.build, "sparse-attn-compile"), module.name,
                 f"--target={chip}", "--emit=ptx,cubin,manifest",
                 *variant.options(), "-o", folder])
        except BenchError as error:
            return BuiltVariant(variant, error=str(error).replace(module.name, "FILE"))
    ptx = next(folder.glob(f"*.{chip}.ptx"))
    return BuiltVariant(variant, resources=ptxas_resources(ptx, chip))


def sweep(functions: list[Function], quick: bool = False) -> list[Variant]:
    """The variants of a tuning sweep, the compiler's own choice first."""
    variants = []
    for function in functions:
        variants.append(Variant(function))
        # A warp takes 16 rows at least, so 64 rows are work for 4 warps.
        for queries, warps in ((64, 4), (128, 4), (128, 8)):
            for keys in (32, 64, 128) if function.head_size <= 128 else (16, 32, 64):
                for stages in (2, 3):
                    variants.append(Variant(function, queries, keys, stages, warps))
        if function.pattern.name in ("longformer", "bigbird"):
            variants += [Variant(function, heavy_splits=splits) for splits in (16, 32, 128)]
    return variants[:2] if quick else variants


def compile_variants(args: argparse.Namespace, build: Build) -> dict[str, BuiltVariant]:
    wanted = [f for f in build.functions.values()
              if f.pattern.name in args.variants and f.head_size in args.variant_head_sizes]
    variants = sweep(wanted, quick=args.small)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        built = pool.map(lambda v: compile_variant(args, build.directory, v), variants)
        return {result.variant.name: result for result in built}


def copy_runtime(args: argparse.Namespace, build: Build) -> None:
    """The library under its own name, and the Python package where there is one."""
    folder = build.directory / "lib"
    folder.mkdir(exist_ok=True)
    library = args.build / "lib" / "libSparseAttnRuntime.so"
    if not library.exists():
        raise BenchError(f"{library} is missing; build it with"
                         " `scripts/build.sh SparseAttnRuntime`")
    shutil.copyfile(library, folder / library.name)
    source = ROOT / "python" / "sparse_attn"
    if source.is_dir():
        shutil.rmtree(folder / "sparse_attn", ignore_errors=True)
        shutil.copytree(source, folder / "sparse_attn",
                        ignore=shutil.ignore_patterns("__pycache__", "*.so*"))


def directory_bytes(directory: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def commit() -> str | None:
    done = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=12"],
                          cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or None


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True,
                        help="the directory to fill")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="the build tree with the compiler")
    parser.add_argument("--target", default="sm_80,sm_90")
    parser.add_argument("--dtypes", default="bf16", help="of bf16, f16, f32")
    parser.add_argument("--head-sizes", default="64,128,256")
    parser.add_argument("--patterns", help="names, by comma; all by default")
    parser.add_argument("--variants", nargs="?", default="",
                        const="causal,window1024,longformer",
                        help="add a tuning sweep of these patterns")
    parser.add_argument("--variant-head-sizes", help="64,128 where they are built, else all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--small", action="store_true",
                        help="masks small enough for the emulator")
    args = parser.parse_args(argv)
    known = SMALL_PATTERNS if args.small else PATTERNS
    names = args.patterns.split(",") if args.patterns else list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"unknown pattern {unknown[0]}; there are {', '.join(known)}")
    args.variants = [name for name in args.variants.split(",") if name]
    if missing := [name for name in args.variants if name not in names]:
        parser.error(f"no variants of {missing[0]}: it is not among the patterns built,"
                     f" {', '.join(names)}")
    if args.variants and not chips(args):
        parser.error("variants are of GPU kernels; name a --target such as sm_90")
    args.chosen = [known[name] for name in names]
    try:
        args.head_sizes = [int(size) for size in args.head_sizes.split(",")]
        chosen = (args.variant_head_sizes or "").split(",")
        chosen = [int(size) for size in chosen if size]
    except ValueError:
        parser.error("--head-sizes and --variant-head-sizes take integers, by comma")
    usual = [size for size in args.head_sizes if size in (64, 128)]
    args.variant_head_sizes = chosen or usual or args.head_sizes
    return args


def build_all(args: argparse.Namespace) -> Build:
    functions = [Function(pattern, dtype, size)
                 for dtype in args.dtypes.split(",")
                 for size in args.head_sizes
                 for pattern in args.chosen]
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "index.json").unlink(missing_ok=True)
    build = Build(args.output, {f.name: f for f in functions}, {}, {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "target": args.target,
    })
    check_live_pairs(args, args.chosen)
    compile_functions(args, build)
    shutil.rmtree(args.output / "variants", ignore_errors=True)
    if args.variants:
        build.variants.update(compile_variants(args, build))
    copy_runtime(args, build)
    build.record["manifest_sha256"] = packages.digest(build.package / "manifest.json")
    packages.write_index(build, args.small)
    return build


def main(argv: list[str] | None = None) -> None:
    args = parse_arguments(argv)
    try:
        build = build_all(args)
    except BenchError as error:
        sys.exit(f"build.py: {error}")
    size = directory_bytes(args.output)
    refused = sum(built.error is not None for built in build.variants.values())
    print(f"{args.output}: {len(build.functions)} functions, {len(build.variants)}"
          f" variants of which the compiler refuses {refused}, {size / 2**20:.1f} MiB")
    if size > SIZE_LIMIT:
        print(f"warning: more than {SIZE_LIMIT >> 20} MiB; build fewer patterns, head"
              " sizes or targets where it has to be carried", file=sys.stderr)


if __name__ == "__main__":
    main()
