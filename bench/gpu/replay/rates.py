"""Bounds, occupancy, and cycles of a loop's iteration and of a whole block."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence

from replay.chips import Chip
from replay.cubin import Kernel
from replay.flow import Flow, Loop, Program, is_conditional, is_vote
from replay.machine import SUBPARTITIONS, Machine
from replay.pipes import pipe_of, shared_cycles, tensor_cycles
from replay.sass import Instruction

# Blocks start at random; cycles are the mean over so many starts, which move them by
# 2 or 3 percent.
SEEDS = 3
ITERATIONS, WARM_UP = 10, 2


@dataclasses.dataclass(frozen=True)
class Occupancy:
    """Blocks of a multiprocessor, and what there is no more of."""

    blocks: int
    limited_by: str


def occupancy(kernel: Kernel, chip: Chip, threads: int, shared: int) -> Occupancy:
    """`shared` is the dynamic part, in bytes. Each sub-partition gives registers to its
    warps, 256 at a time; a block takes 1 KiB of shared memory for itself."""
    warps = -(-threads // 32)
    registers = -(-kernel.registers * 32 // 256) * 256
    fitting_warps = SUBPARTITIONS * (chip.registers // SUBPARTITIONS // registers)
    taken = -(-(shared + kernel.static_shared + 1024) // 128) * 128
    fitting = {"registers": fitting_warps // warps, "shared": chip.shared // taken,
               "warps": chip.warps // warps, "blocks": chip.blocks}
    limit = min(fitting, key=lambda name: fitting[name])
    return Occupancy(fitting[limit], limit)


def bounds(codes: Sequence[list[Instruction]], chip: Chip) -> dict[str, float]:
    """Cycles that one run of a block, of a warp for each code, keeps each pipe busy: no
    schedule of many blocks takes less than the largest."""
    total = dict.fromkeys(("tensor", "xu", "fma", "alu", "shared", "issue"), 0.0)
    for code in codes:
        for pipe, cycles in _bounds_of_warp(code, chip).items():
            total[pipe] += cycles / SUBPARTITIONS
    return total


def _bounds_of_warp(code: list[Instruction], chip: Chip) -> dict[str, float]:
    """The same of one warp, on the sub-partition that it is on."""
    use = dict.fromkeys(("tensor", "xu", "fma", "alu", "shared", "issue"), 0.0)
    rates = {"xu": chip.xu, "fma": chip.fma, "imad": chip.imad, "alu": chip.alu}
    for instruction in code:
        pipe = pipe_of(instruction)
        use["issue"] += 1
        if pipe == "tensor":
            use["tensor"] += tensor_cycles(instruction, chip)
        elif pipe == "shared" or instruction.base == "LDGSTS":
            use["shared"] += SUBPARTITIONS * shared_cycles(instruction)
        elif pipe in rates:
            use["fma" if pipe == "imad" else pipe] += rates[pipe]
    return use


def runs_a_cycle(machine: Machine, skip: int) -> float:
    """Of one block, summed over the blocks, while all of them are at work."""
    start = max(warp.done[skip] for warp in machine.warps)
    end = min(warp.done[-1] for warp in machine.warps)
    total = 0.0
    for warp in machine.warps:
        inside = [time for time in warp.done if start <= time <= end]
        if len(inside) < 2:
            inside = warp.done[-2:]
        total += (len(inside) - 1) / (inside[-1] - inside[0])
    return total / machine.warps_per_block


@dataclasses.dataclass(frozen=True)
class Replay:
    """Cycles that a multiprocessor takes for one run of a program by one block, and the
    part of the time that each pipe is busy."""

    cycles: float
    busy: dict[str, float]


def replay(programs: Sequence[Program], chip: Chip, blocks: int, times: int = ITERATIONS,
           skip: int = WARM_UP, seeds: int = SEEDS, stages: int = 2) -> Replay:
    """Of blocks that have a warp for each program."""
    cycles = 0.0
    busy: defaultdict[str, float] = defaultdict(float)
    for seed in range(seeds):
        machine = Machine(chip, programs, blocks, seed, stages).run(times)
        cycles += 1 / runs_a_cycle(machine, skip) / seeds
        span = max(warp.done[-1] for warp in machine.warps) * seeds
        for pipe, used in machine.busy.items():
            busy[pipe] += used / span / (1 if pipe == "shared" else SUBPARTITIONS)
        busy["issue"] += machine.issued / span / SUBPARTITIONS
    return Replay(cycles, dict(busy))


def whole_block(flow: Flow, loops: Iterable[tuple[Loop, Program]],
                heads: Iterable[int] = ()) -> Program:
    """A block from its first instruction to EXIT: these loops run as their programs, others
    once. Where one of two ways leads to more loops with a head of `heads` that have not run,
    it is taken. Else forward branches fall through, but those behind a vote of the block,
    which skip the path for untrusted operands, are taken."""
    code, place = flow.code, flow.place
    wanted = {head: flow.leading_to([head]) for head in heads}
    left = {loop.head: (loop, iterations) for loop, iterations in loops}
    program: Program = []
    at, voted = 0, False
    while at < len(code):
        if at in left:
            loop, iterations = left.pop(at)
            program += iterations
            wanted.pop(loop.head, None)
            at = loop.last + 1
            continue
        instruction = code[at]
        voted |= is_vote(instruction)
        target = instruction.target
        jumps = False
        if instruction.base == "BRA" and target in place and ".DIV" not in instruction.op:
            jumps = target > instruction.address and (not is_conditional(instruction) or voted)
            leads, falls = (sum(block in blocks for blocks in wanted.values())
                            for block in (place[target], at + 1))
            if is_conditional(instruction) and leads != falls:
                jumps = leads > falls and target > instruction.address
        program.append((instruction, jumps))
        if instruction.base == "EXIT" and not instruction.predicate:
            break
        if jumps:
            voted = False
        at = place[target] if jumps and target is not None else at + 1
    return program
