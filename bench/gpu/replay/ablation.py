"""What a loop would gain if a part of it took no time: it is replayed without that part."""

import dataclasses
from collections.abc import Callable, Sequence

from replay.chips import Chip
from replay.flow import Program
from replay.rates import replay
from replay.sass import Instruction

SOFTMAX = frozenset("MUFU FFMA FMUL FADD FMNMX SHFL F2FP FSEL".split())
Test = Callable[[Instruction], bool]
Programs = Sequence[Program]


def _without(programs: Programs, test: Test) -> Programs:
    kept = {id(program): [(instruction, jumps) for instruction, jumps in program
                          if not test(instruction)] for program in programs}
    return [kept[id(program)] for program in programs]


def gains(programs: Programs, chip: Chip, blocks: int) -> dict[str, float]:
    """How much faster each change makes a block whose warps run these, as a part of its
    speed."""
    at_once = dataclasses.replace(chip, l2_latency=0, l2_rate=1e9)
    no_jumps = dataclasses.replace(chip, branch=0)
    changes: dict[str, tuple[Programs, Chip, int]] = {
        "no block barrier": (_without(programs, lambda i: i.base == "BAR"), chip, blocks),
        "no latency of copies": (programs, at_once, blocks),
        "no latency of jumps": (programs, no_jumps, blocks),
        "no softmax": (_without(programs, lambda i: i.base in SOFTMAX), chip, blocks),
        "no ldmatrix": (_without(programs, lambda i: i.base == "LDSM"), chip, blocks),
        "one block more": (programs, chip, blocks + 1),
    }
    base = replay(programs, chip, blocks).cycles
    return {name: base / replay(changed, on, count).cycles - 1
            for name, (changed, on, count) in changes.items()}
