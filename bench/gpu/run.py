#!/usr/bin/env python3
"""Measures our kernels beside their peers, all in one run on one GPU.

    python3 bench/gpu/run.py --packages DIR --check-only       # first: are they right?
    python3 bench/gpu/run.py --packages DIR --budget 540 --output FILE
    python3 bench/gpu/run.py --packages DIR --budget 540 --output FILE --resume

DIR is what build.py has filled, here or elsewhere. Results are written after each item;
--resume goes on where a run has ended. Cases come in order of importance.
"""

import argparse
import gc
import os
import pathlib
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import measuring
import overhead
from cases import TORCH_TYPES, Case, measured_cases
from devices import CpuDevice, CudaDevice, Device, today, versions
from harness import Item, supervise, work
from measuring import Session
from ours import Kernels, RuntimeKernels, ToolKernels
from packages import BenchError, Build, Function, read_index
from peers import PeerOptions, describe_error
from store import Store
from timing import TimingOptions

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"

# (batches, query heads, key heads, n) of the checks: one row, ragged tails, grouped
# heads, whole tiles, more than one block of heads.
CHECK_SHAPES = ((1, 1, 1, 1), (1, 2, 2, 97), (2, 4, 1, 1025), (1, 3, 3, 640), (2, 8, 2, 2048))
SMOKE_CHECK_SHAPES = ((1, 1, 1, 1), (2, 2, 1, 97))
# Functions of one launch, of three, and of six.
OVERHEAD_PATTERNS = ("causal", "longformer", "bigbird")


def parse_arguments(argv: list[str] | None, description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--packages", type=pathlib.Path, required=True,
                        help="the directory that build.py has filled")
    parser.add_argument("--output", type=pathlib.Path, default=RESULTS / "gpu.json")
    parser.add_argument("--resume", action="store_true",
                        help="go on with the results that --output has")
    parser.add_argument("--check-only", action="store_true",
                        help="compare every kernel with the reference, and time nothing")
    parser.add_argument("--no-checks", action="store_true", help="leave out the checks")
    parser.add_argument("--no-peers", action="store_true", help="measure ours alone")
    parser.add_argument("--patterns", help="only these, by comma")
    parser.add_argument("--dtypes", default="bf16")
    parser.add_argument("--lengths", help="only these, by comma")
    parser.add_argument("--head-sizes", help="only these, by comma")
    parser.add_argument("--budget", type=float, default=1500, help="seconds for everything")
    parser.add_argument("--case-limit", type=float, default=150, help="seconds for one case")
    parser.add_argument("--check-limit", type=float, default=40, help="seconds for one check")
    parser.add_argument("--peer-limit", type=float, default=60,
                        help="seconds for a peer's preparation and first call")
    parser.add_argument("--rounds", type=int, default=TimingOptions().rounds)
    parser.add_argument("--flush", action="store_true",
                        help="empty the second-level cache before each call")
    parser.add_argument("--autotune-flex", action="store_true",
                        help="let FlexAttention try its tiles; minutes a case")
    parser.add_argument("--smoke", choices=["cpu", "emulator", "package"],
                        help="try the benchmark itself without a GPU, on the small masks of"
                        " `build.py --small`: ours by sparse-attn-run, on the CPU or in the"
                        " emulator, or from a package with a target of x86-64")
    parser.add_argument("--tool", type=pathlib.Path, help="sparse-attn-run, for --smoke",
                        default=ROOT / "build" / "bin" / "sparse-attn-run")
    parser.add_argument("--deadline", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    for name in ("lengths", "head_sizes"):
        try:
            text = getattr(args, name)
            setattr(args, name, {int(x) for x in text.split(",")} if text else None)
        except ValueError:
            parser.error(f"--{name.replace('_', '-')} takes integers, by comma")
    args.patterns = set(args.patterns.split(",")) if args.patterns else None
    args.dtypes = args.dtypes.split(",")
    if unknown := [dtype for dtype in args.dtypes if dtype not in TORCH_TYPES]:
        parser.error(f"unknown type {unknown[0]}; there are {', '.join(TORCH_TYPES)}")
    if args.smoke and args.output.resolve().is_relative_to(RESULTS):
        parser.error("results of --smoke mean nothing; name another --output than"
                     " bench/results")
    return args


def is_wanted(args: argparse.Namespace, pattern: str, head_size: int) -> bool:
    return ((args.patterns is None or pattern in args.patterns)
            and (args.head_sizes is None or head_size in args.head_sizes))


def check_cases(args: argparse.Namespace, build: Build) -> list[tuple[Function, Case]]:
    shapes = SMOKE_CHECK_SHAPES if args.smoke else CHECK_SHAPES
    return [(function, Case(function.pattern, function.dtype, *shape, function.head_size))
            for function in build.functions.values()
            if is_wanted(args, function.pattern.name, function.head_size)
            for shape in shapes]


def smoke_cases(build: Build) -> list[Case]:
    """Every function; and grouped heads, of whom all have the same code."""
    functions = list(build.functions.values())
    return [Case(function.pattern, function.dtype, 1, 2, key_heads, 256, function.head_size)
            for key_heads, some in ((2, functions), (1, functions[-2:])) for function in some]


def chosen_cases(args: argparse.Namespace, build: Build) -> list[Case]:
    cases = smoke_cases(build) if args.smoke else measured_cases(args.dtypes)
    return [case for case in cases
            if is_wanted(args, case.pattern.name, case.head_size)
            and (args.lengths is None or case.n in args.lengths)]


def overhead_cases(args: argparse.Namespace, build: Build) -> list[tuple[Function, Case]]:
    n, heads = (128, 1) if args.smoke else (1024, 2)
    return [(function, Case(function.pattern, function.dtype, 1, heads, heads, n,
                            function.head_size))
            for function in build.functions.values()
            if function.pattern.name in OVERHEAD_PATTERNS
            and function.head_size == min(f.head_size for f in build.functions.values())
            and is_wanted(args, function.pattern.name, function.head_size)]


def make_item(session: Session, key: str, function: str, limit: float,
              run: Callable[[], dict[str, Any]]) -> Item:
    def run_and_release() -> dict[str, Any]:
        print(key, flush=True)
        try:
            return run()
        except measuring.TooLarge as reason:
            return {"left_out": str(reason)}
        finally:
            gc.collect()  # or a case's tensors outlive it
            session.device.release_memory()

    return Item(key, run_and_release, limit, function)


def make_items(args: argparse.Namespace, build: Build, session: Session) -> list[Item]:
    """Everything there is to do, the most important first."""
    counts = overhead.Counts(2, 1) if args.smoke else overhead.Counts()
    items = []
    if not args.no_checks:
        items += [
            make_item(session, case.key.replace("case/", "check/", 1), function.name,
                      args.check_limit,
                      partial(measuring.check_function, session, function, case))
            for function, case in check_cases(args, build)]
    if args.check_only:
        return items
    items += [
        make_item(session, case.key.replace("case/", "overhead/", 1), function.name,
                  args.case_limit,
                  partial(overhead.measure_overhead, session, function, case, counts))
        for function, case in overhead_cases(args, build)]
    for case in chosen_cases(args, build):
        function = Function(case.pattern, case.dtype, case.head_size)
        items.append(make_item(
            session, case.key, function.name, args.case_limit,
            partial(measuring.measure_case, session,
                    function if function.name in build.functions else None, case,
                    with_peers=not args.no_peers)))
    return items


def open_device(args: argparse.Namespace, build: Build) -> tuple[Device, Kernels]:
    if args.smoke:
        return CpuDevice(), (RuntimeKernels(build) if args.smoke == "package"
                             else ToolKernels(build, args.tool, args.smoke))
    import torch

    if not torch.cuda.is_available():
        raise BenchError("PyTorch finds no GPU here; to try the benchmark without one, use"
                         " --smoke=cpu with the packages of `build.py --small`")
    return CudaDevice(), RuntimeKernels(build)


def open_session(args: argparse.Namespace, build: Build) -> Session:
    device, kernels = open_device(args, build)
    timing = TimingOptions(rounds=args.rounds, flush=args.flush)
    if args.smoke:
        timing = TimingOptions(rounds=min(args.rounds, 2), burst=1, warm_ups=1)
    peer_options = PeerOptions(compile=not args.smoke, autotune=args.autotune_flex)
    return Session(device, kernels, timing, peer_options, args.peer_limit)


def shown_command() -> str:
    """This run's, for readers on other machines: of absolute paths the last part."""

    def shown(argument: str) -> str:
        option, equals, value = argument.rpartition("=")
        value = os.path.basename(value) if os.path.isabs(value) else value
        return option + equals + value

    script = os.path.relpath(sys.argv[0], ROOT)
    return " ".join(["python3", script, *map(shown, sys.argv[1:])])


def header(args: argparse.Namespace, build: Build, kind: str) -> dict[str, Any]:
    """What every figure of a run has in common; the rest is added by who has a device."""
    return {
        "kind": kind,
        "smoke": args.smoke,
        "date": today(),
        "commands": [shown_command()],
        "build": build.record,
    }


def is_alive(device: Device) -> bool:
    try:
        device.synchronize()
        return True
    except Exception:
        return False


def run_child(args: argparse.Namespace, build: Build, kind: str,
              make: Callable[[argparse.Namespace, Build, Session], list[Item]]) -> int:
    store = Store.load(args.output)
    session = open_session(args, build)
    if "device" not in store.document:
        store.document["device"] = session.device.describe()
        store.document["versions"] = versions()
        store.document["timing"] = vars(session.timing)
        store.save()
    elif store.document["device"]["name"] != session.device.describe()["name"]:
        raise BenchError(f"{args.output} is from {store.document['device']['name']}; figures"
                         " of two devices do not go into one file")
    return work(make(args, build, session), store, args.deadline,
                lambda: is_alive(session.device), describe_error)


def run_parent(args: argparse.Namespace, build: Build, kind: str, argv: list[str]) -> None:
    if args.resume:
        store = Store.load(args.output)
        store.document["commands"] += header(args, build, kind)["commands"]
        if store.document["build"] != build.record:
            raise BenchError(f"{args.output} is of other packages; run without --resume")
        store.save()
    else:
        store = Store.create(args.output, header(args, build, kind))
    lost = supervise([sys.executable, sys.argv[0], *argv], args.output, args.budget)
    if lost:
        print(f"{lost} measuring processes were lost on the way")


def summary(store: Store) -> tuple[list[str], bool]:
    """Lines for people, and whether all of ours is right."""
    lines, good = [], True
    for key, result in store.items.items():
        if result.get("kind") == "check" and result["passed"]:
            continue
        contestants = result.get("contestants", {})
        ours = contestants.get("ours", {})
        wrong = [text for text in (result.get("error"), ours.get("error")) if text]
        wrong += result.get("memory_errors", []) + ours.get("memory_errors", [])
        if result.get("within_goal") is False or ours.get("within_goal") is False:
            wrong.append("beyond the goal for its error")
        if result.get("same_bits_twice") is False:
            wrong.append("differs from run to run")
        good &= not wrong
        best = min((r["times_ours"] for name, r in contestants.items()
                    if "times_ours" in r and name != "ours"), default=None)
        if "left_out" in result:
            lines.append(f"{key}: left out, {result['left_out']}")
            continue
        times = [f"{ours[name] * 1e3:.3f} ms {unit}" for name, unit in
                 (("seconds", ""), ("cpu_seconds_per_call", "of the CPU a call")) if name in ours]
        text = "; ".join(wrong or times).rstrip()
        lines.append(f"{key}: {text}" + (f", best peer {best:.2f} x ours" if best else ""))
    return lines, good


def finish(path: pathlib.Path) -> int:
    store = Store.load(path)
    lines, good = summary(store)
    passed = sum(bool(result.get("passed")) for result in store.items.values())
    print(*lines, f"{passed} checks passed; {len(store.items)} items, "
          f"{len(store.document['not_run'])} not run; wrote {path}", sep="\n")
    return 0 if good else 1


def main(argv: list[str] | None = None, kind: str = "gpu",
         make: Callable[[argparse.Namespace, Build, Session], list[Item]] = make_items,
         description: str = __doc__.splitlines()[0]) -> int:
    argv = sys.argv[1:] if argv is None else argv
    args = parse_arguments(argv, description)
    try:
        build = read_index(args.packages)
        if args.deadline:
            return run_child(args, build, kind, make)
        run_parent(args, build, kind, argv)
        return finish(args.output)
    except BenchError as error:
        print(f"{pathlib.Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
