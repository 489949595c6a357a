"""What a loop would gain if a part of it took no time: it is replayed without that part."""

import dataclasses
from collections.abc import Callable

from replay.chips import Chip
from replay.flow import Program
from replay.rates import replay
from replay.sass import Instruction

SOFTMAX = frozenset("MUFU FFMA FMUL FADD FMNMX SHFL F2FP FSEL".split())
Test = Callable[[Instruction], bool]


def _without(program: Program, test: Test) -> Program:
    return [(instruction, jumps) for instruction, jumps in program if not test(instruction)]


def gains(program: Program, chip: Chip, warps: int, blocks: int) -> dict[str, float]:
    """How much faster each change makes the loop, as a part of its speed."""
    at_once = dataclasses.replace(chip, l2_latency=0, l2_rate=1e9)
    no_jumps = dataclasses.replace(chip, branch=0)
    changes: dict[str, tuple[Program, Chip, int]] = {
        "no block barrier": (_without(program, lambda i: i.base == "BAR"), chip, blocks),
        "no latency of copies": (program, at_once, blocks),
        "no latency of jumps": (program, no_jumps, blocks),
        "no softmax": (_without(program, lambda i: i.base in SOFTMAX), chip, blocks),
        "no ldmatrix": (_without(program, lambda i: i.base == "LDSM"), chip, blocks),
        "one block more": (program, chip, blocks + 1),
    }
    base = replay(program, chip, warps, blocks).cycles
    return {name: base / replay(changed, on, warps, count).cycles - 1
            for name, (changed, on, count) in changes.items()}
