"""The time of a function's launches, predicted from its package.

Of each kernel the replay gives cycles of an iteration of each loop over tiles, and of what
a block does beside them. A block then takes

    rest + sum over loops of tiles · cycles

and blocks are dealt out to multiprocessors in the grid's order, as dealing.py has it. A
launch takes what its blocks or its bytes take, whichever is more, and a gap.
"""

import collections
import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from dealing import dealt_out
from launches import Body, Launch, Package, Sizes
from packages import BenchError
from plans import Trips, is_full
from reach import Computed
from replay.ablation import gains
from replay.chips import Chip
from replay.cubin import kernels_of
from replay.flow import (
    Flow,
    Loop,
    Program,
    Work,
    has_barriers,
    other_loops,
    threads_of_barriers,
    tile_loops,
    trips_over,
)
from replay.pipes import TENSOR, tensor_fma
from replay.rates import ITERATIONS, Replay, bounds, occupancy, replay, whole_block
from replay.sass import disassemble

# Published speed over the model's, of FlashAttention-2 at head sizes 64 and 128 on A100
# and H100: kernels of mma.sync, as ours are.
CALIBRATION, UNCERTAINTY = 0.92, 0.04
# Of the bandwidth on paper, what copies reach.
DRAM_EFFICIENCY = 0.9
# Seconds from one launch of a stream to the next, and to the first block of the first.
LAUNCH_GAP = 2e-6
# A block is replayed with so many iterations at most; more of them take what the loop
# takes when it is replayed alone.
REPLAYED_TRIPS = 16
BLOCK_TIMES, BLOCK_SEEDS = 6, 3
# Runs of several iterations are replayed so many times.
FEW_RUNS = 6
Name = TypeVar("Name")


@dataclasses.dataclass(frozen=True)
class LoopReplay:
    """One iteration by one block: cycles of a multiprocessor that has `resident` such
    blocks, and floating-point operations of the tensor cores."""

    instructions: int
    cycles: float
    flops: int
    busy: dict[str, float]
    bound: dict[str, float]
    gains: dict[str, float]
    # Where warps may leave out iterations, cycles of all iterations of a block by what its
    # warps compute; the above is of the most frequent.
    runs: Mapping[Computed, float] = dataclasses.field(default_factory=dict)

    def cycles_of(self, count: int, computed: Computed | None) -> float:
        """Of `count` iterations."""
        if computed and computed in self.runs:
            return self.runs[computed]
        return count * self.cycles

    def describe(self, chip: Chip) -> dict[str, Any]:
        peak = chip.multiprocessors * chip.clock_ghz / 1e3
        worst = max(self.bound, key=lambda pipe: self.bound[pipe])
        return {"instructions": self.instructions, "cycles": round(self.cycles, 1),
                "tflops_of_tiles": round(self.flops / self.cycles * peak, 1),
                "bound_cycles": round(self.bound[worst], 1), "bound_by": worst,
                "busy": {pipe: round(part, 3) for pipe, part in sorted(self.busy.items())},
                "gains": {name: round(gain, 3) for name, gain in self.gains.items()}}


@dataclasses.dataclass(frozen=True)
class BodyReplay:
    """What some blocks of a kernel do."""

    # Cycles of one iteration by one block where a multiprocessor has 1, 2, … blocks.
    sharing: tuple[float, ...]
    loops: tuple[LoopReplay | None, ...]  # None where the kernel has no such loop
    rest: float  # cycles of a block beside them
    steps: int = 1  # iterations that visit one tile

    def cycles(self, trips: Trips, computed: Sequence[Computed] = ()) -> float:
        """Of a multiprocessor, for one of its blocks, which computes all or that."""
        return self.rest + sum(loop.cycles_of(count * self.steps, some) for count, loop, some
                               in itertools.zip_longest(trips, self.loops, computed) if loop)


@dataclasses.dataclass(frozen=True)
class KernelReplay:
    registers: int
    stack: int
    limited_by: str
    resident: int  # blocks of a multiprocessor
    bodies: tuple[BodyReplay, ...]


def _flops(loop: Loop, warps: int) -> int:
    return 2 * warps * sum(tensor_fma(i) for i in loop.code if i.base in TENSOR)


def _programs(loop: Loop, warps: int, count: int, computed: Computed = ()) -> list[Program]:
    """Of each warp for `count` iterations, in which it does that, or masks in all of them."""
    shares = (tuple(zip(*computed[:count])) if loop.has_choice and computed
              else ((Work.MASKED,) * count,) * warps)
    if len(shares) != warps:
        raise BenchError(f"a loop of {warps} warps is known to have {len(shares)}")
    programs = {share: loop.program(share) for share in set(shares)}
    return [programs[share] for share in shares]


def _loops_by_tile(loops: list[Loop], trips: Mapping[Name, int]) -> dict[Name, Loop]:
    """Those with the names of `trips`, in whose order the code has them; without those that
    do not run, where it lacks some."""
    for names in (list(trips), [name for name, count in trips.items() if count]):
        if len(names) == len(loops):
            return dict(zip(names, loops))
    raise BenchError(f"a kernel has {len(loops)} loops over tiles for {dict(trips)}")


def _capped(trips: Mapping[str, int]) -> dict[str, int]:
    """Few enough to be replayed, with as many partial ones as there are."""
    short: dict[str, int] = {}
    for name, count in trips.items():
        room = REPLAYED_TRIPS if is_full(name) else REPLAYED_TRIPS // 2
        short[name] = min(count, room - sum(short.values()))
    return short


def mean_trips(blocks: Sequence[Trips]) -> Trips:
    return tuple(round(sum(counts) / len(blocks)) for counts in zip(*blocks))


def _run(programs: Sequence[Program], chip: Chip, resident: int,
         times: int) -> tuple[Replay, dict[str, float]]:
    """One run of the programs by one block, and its bounds. The replay counts runs of blocks
    that are apart, to within 2%."""
    result = replay(programs, chip, resident, times)
    bound = bounds([[instruction for instruction, _ in program] for program in programs], chip)
    return dataclasses.replace(result, cycles=max(result.cycles, *bound.values())), bound


def _replay_loop(loop: Loop, chip: Chip, warps: int, resident: int, with_gains: bool,
                 shares: Sequence[Computed]) -> LoopReplay:
    """`shares`: what warps of blocks compute, the most frequent first."""
    shares = [share for share in shares if share] if loop.has_choice else []
    count = len(shares[0]) if shares else 1
    programs = _programs(loop, warps, count, *shares[:1])
    result, bound = _run(programs, chip, resident, ITERATIONS if count == 1 else FEW_RUNS)
    runs = {share: _run(_programs(loop, warps, len(share), share), chip, resident,
                        FEW_RUNS)[0].cycles for share in shares[1:]}
    if shares:
        runs[shares[0]] = result.cycles
    computing = (sum(work != Work.NONE for works in shares[0] for work in works) / count
                 if shares else warps)
    return LoopReplay(len(loop.path), result.cycles / count, round(_flops(loop, 1) * computing),
                      result.busy, {pipe: cycles / count for pipe, cycles in bound.items()},
                      gains(programs, chip, resident) if with_gains else {}, runs)


def _sharing(loops: dict[str, Loop], chip: Chip, warps: int, resident: int) -> tuple[float, ...]:
    """Of the loop over full tiles where there is one. What has no loop is bound by
    latencies, which others do not prolong."""
    if not loops:
        return tuple(1 / blocks for blocks in range(1, resident + 1))
    path = loops.get("full", [*loops.values()][-1])
    return tuple(replay([path.path] * warps, chip, blocks).cycles
                 for blocks in range(1, resident + 1))


def _rest(flow: Flow, loops: dict[str, Loop], alone: dict[str, LoopReplay],
          trips: Mapping[str, int], shares: Mapping[str, Sequence[Computed]], body: Body,
          warps: int, resident: int, chip: Chip) -> float:
    """Cycles of a whole block less those of its iterations."""
    often = {name: some[0] for name, some in shares.items() if some and loops[name].has_choice}
    short = _capped({**trips, **{name: len(share) for name, share in often.items()}})
    first = min((loop.first for loop in loops.values()), default=len(flow.code))
    beside = [loop for loop in other_loops(flow) if body.beside and loop.first < first]
    others = [(loop, loop.path * count) for loop, count
              in zip(beside, trips_over(beside, body.beside))]
    running = {name: _programs(loop, warps, short[name], often.get(name, ()))
               for name, loop in loops.items()}
    heads = [loop.head for loop in loops.values()]
    programs = {}
    for warp in range(warps):
        own = [(loop, running[name][warp]) for name, loop in loops.items()]
        programs.setdefault(tuple(id(program) for _, program in own), []).append((warp, own))
    by_warp: list[Program] = [[]] * warps
    for same in programs.values():
        program = whole_block(flow, [*same[0][1], *others], heads)
        for warp, _ in same:
            by_warp[warp] = program
    whole = replay(by_warp, chip, resident, BLOCK_TIMES, 0, BLOCK_SEEDS)
    return whole.cycles - sum(loop.cycles_of(short[name], often.get(name))
                              for name, loop in alone.items())


def _warps(loops: dict[str, Loop], threads: int, beside: int) -> int:
    """Those that the barriers of the loops wait for, and single ones where they meet at none,
    times the number of such bodies in a block; others of the block do nothing."""
    for loop in loops.values():
        if (count := threads_of_barriers(loop)) is not None:
            return count // 32 * beside
        if not has_barriers(loop):
            return beside
    return -(-threads // 32)


def _steps(loops: dict[str, Loop], body: Body, warps: int, beside: int) -> int:
    """Iterations that visit one tile: parts of few rows may take it in several steps."""
    each = max((_flops(loop, warps) // 2 for loop in loops.values()), default=0)
    return max(1, round(beside * body.tile_fma / each)) if each else 1


def _replay_body(flow: Flow, loops: dict[str, Loop], trips: Mapping[str, int], body: Body,
                 threads: int, beside: int, resident: int, chip: Chip,
                 shares: Sequence[Sequence[Computed]]) -> BodyReplay:
    warps = _warps(loops, threads, beside)
    named = {name: some for name, some in zip(body.loops, shares) if name in loops}
    alone = {name: _replay_loop(loop, chip, warps, resident, body.role == "rows",
                                named.get(name, ())) for name, loop in loops.items()}
    steps = _steps(loops, body, warps, beside)
    iterations = {name: count * steps for name, count in trips.items()}
    rest = _rest(flow, loops, alone, iterations, named, body, warps, resident, chip)
    return BodyReplay(_sharing(loops, chip, warps, resident),
                      tuple(map(alone.get, body.loops)), rest, steps)


@functools.cache
def replay_kernel(cubin: pathlib.Path, launch: Launch, blocks: int, beside: int,
                  trips: tuple[Trips, ...], shares: tuple[tuple[Computed, ...], ...], chip: Chip,
                  nvdisasm: str) -> KernelReplay:
    """Replays the kernel of `launch` with `blocks` in its grid, of parts so many beside one
    another in a block, and for each body these trips of its loops in a block of mean length.
    `shares`: of the loops of the last one what warps of blocks compute, as `_replay_loop`
    takes it."""
    kernel = kernels_of(cubin)[launch.kernel]
    flow = Flow(disassemble(cubin, kernel, nvdisasm))
    fitting = occupancy(kernel, chip, launch.threads, launch.shared)
    wanted = -(-blocks // chip.multiprocessors)
    resident = max(1, min(fitting.blocks, wanted))
    named = [dict(zip(body.loops, counts, strict=True))
             for body, counts in zip(launch.bodies, trips, strict=True)]
    found = _loops_by_tile(tile_loops(flow), {
        (index, name): count for index, counts in enumerate(named)
        for name, count in counts.items()})
    bodies = [
        _replay_body(flow, {name: found[index, name] for name in counts
                            if (index, name) in found},
                     counts, body, launch.threads, beside if body.role == "parts" else 1,
                     resident, chip, shares if body is launch.bodies[-1] else ())
        for index, (body, counts) in enumerate(zip(launch.bodies, named))]
    return KernelReplay(kernel.registers, kernel.stack,
                        fitting.limited_by if fitting.blocks <= wanted else "grid",
                        resident, tuple(bodies))


def _describe_loops(launch: Launch, kernel: KernelReplay, blocks: Sequence[Sequence[Trips]],
                    chip: Chip) -> dict[str, Any]:
    """By name, those of other bodies than the last one with its role."""
    loops = {}
    for index, (body, replayed, trips) in enumerate(zip(launch.bodies, kernel.bodies, blocks)):
        prefix = f"{body.role} {index}: " if body is not launch.bodies[-1] else ""
        for name, loop, counts in zip(body.loops, replayed.loops, zip(*trips)):
            if loop:
                loops[prefix + name] = {**loop.describe(chip),
                                        "tiles_of_all_blocks": sum(counts)}
    return loops


def predict_launch(package: Package, launch: Launch, sizes: Sizes, chip: Chip,
                   nvdisasm: str) -> dict[str, Any]:
    """What one launch takes, and why."""
    blocks = package.block_trips(launch, sizes, chip.l2_bytes)
    count = sum(map(len, blocks))
    computed = package.computed(launch, sizes, chip.l2_bytes)
    shares = tuple(tuple(share for share, _ in collections.Counter(some).most_common())
                   for some in zip(*computed))
    # Chips that differ in name and memory only have one replay.
    same = dataclasses.replace(chip, name=chip.architecture, dram_bytes_per_second=0.0)
    kernel = replay_kernel(package.cubin, launch, count, package.beside(launch, sizes),
                           tuple(map(mean_trips, blocks)), shares, same, nvdisasm)
    each = [body.cycles(trips) for body, some in zip(kernel.bodies[:-1], blocks)
            for trips in some]
    each += [kernel.bodies[-1].cycles(trips, some) for trips, some
             in itertools.zip_longest(blocks[-1], computed, fillvalue=())]
    cycles = dealt_out(each, chip.multiprocessors, kernel.bodies[-1].sharing)
    compute = cycles / (chip.clock_ghz * 1e9) / CALIBRATION
    moved = package.moved_bytes(launch, sizes)
    memory = moved / (chip.dram_bytes_per_second * DRAM_EFFICIENCY)
    return {
        "kernel": launch.kernel, "role": launch.role, "blocks": count,
        "threads": launch.threads, "shared_bytes": launch.shared,
        "registers": kernel.registers, "stack_bytes": kernel.stack,
        "blocks_a_multiprocessor": kernel.resident, "limited_by": kernel.limited_by,
        "waves": round(count / (chip.multiprocessors * kernel.resident), 2),
        "loops": _describe_loops(launch, kernel, blocks, chip),
        "cycles_beside_loops": round(kernel.bodies[-1].rest, 1),
        # What an even share for each multiprocessor takes, in what the launch takes.
        "balance": round(sum(each) / chip.multiprocessors / cycles, 3),
        "dram_bytes": moved, "compute_seconds": compute, "memory_seconds": memory,
        "seconds": max(compute, memory) + LAUNCH_GAP,
    }


def predict(package: Package, sizes: Sizes, useful_flops: int, chip: Chip,
            nvdisasm: str) -> dict[str, Any]:
    """All launches of a call. Balanced is what it would be if all multiprocessors ended
    together: so are the predictions of other implementations made."""
    chosen = package.at(sizes, chip.multiprocessors)
    launches = [predict_launch(chosen, launch, sizes, chip, nvdisasm)
                for launch in chosen.launches(sizes)]
    seconds = sum(launch["seconds"] for launch in launches)
    balanced = sum(max(launch["compute_seconds"] * launch["balance"],
                       launch["memory_seconds"]) + LAUNCH_GAP for launch in launches)
    return {"seconds": seconds, "useful_tflops": round(useful_flops / seconds / 1e12, 2),
            "balanced_tflops": round(useful_flops / balanced / 1e12, 2),
            "launches": launches}
