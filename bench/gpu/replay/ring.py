"""The mbarriers of a ring, as ptxas writes them, and who waits at them for whom.

A slot has two: `full` completes when all threads' copies of a tile have ended, `empty`
when all warps have read it.

                     sm_80                             sm_90 and later
    copies arrive    ARRIVES.LDGSTSBAR                 the same
    readers arrive   MEMBAR.ALL.CTA, ATOMS.ARRIVE      SYNCS.ARRIVE
    a test           LDS of the upper word, LOP3 of    SYNCS.PHASECHK
                     its sign with the parity

Which slot an operation is on depends on addresses, which the replay does not know; the
order of a warp's operations decides. Its n-th wait for a full slot is for what all warps
have copied n-th, and its n-th wait for an empty one, which copies follow, for what all
have read n-th, less a number of tiles: copies are `stages` - 1 tiles ahead, and one slot more
than stages lets warps be a tile apart.
"""

import dataclasses
import re
from collections.abc import Sequence

from replay.sass import Instruction

Program = Sequence[tuple[Instruction, bool]]
# Slots beyond the stages.
SPARE = 1
# The exclusive or of two words, of which only the sign counts.
SIGN = re.compile(r"LOP3\.LUT U?P\d, U?RZ, U?R\d+(?:\.reuse)?, 0x80000000, U?R\d+(?:\.reuse)?, 0x48,")


@dataclasses.dataclass(frozen=True)
class Role:
    """`offset` is what is taken off a wait's number; operations in different rounds, between
    which the block meets, have nothing to do with each other."""

    slot: str  # full or empty
    waits: bool
    round: int = 0
    offset: int = 0


def arrives_for(instruction: Instruction) -> str | None:
    if instruction.never:
        return None
    if instruction.base == "ARRIVES":
        return "full"
    return "empty" if instruction.base in ("ATOMS", "SYNCS") and ".ARRIVE" in instruction.op else None


def is_test(instruction: Instruction) -> bool:
    """Whether it decides what a test of an mbarrier finds."""
    if instruction.base == "SYNCS":
        return ".PHASECHK" in instruction.op
    return SIGN.search(instruction.text) is not None


def _waits_for(code: Sequence[Instruction], at: int) -> str:
    """Copies follow where the slot had to be empty, ldmatrix where it had to be full."""
    for n in range(at + 1, len(code)):
        if code[n].base == "LDGSTS":
            return "empty"
        if code[n].base in ("LDSM", "HMMA") or is_test(code[n]):
            return "full"
    return "full"


def roles(program: Program, stages: int) -> list[Role | None]:
    """Of each instruction. The first waits of a round are for tiles whose copies stand
    before them, or, in a loop alone, are of runs before the first."""
    code = [instruction for instruction, _ in program]
    found: list[Role | None] = []
    round_, filled, ahead = 0, 0, None
    for at, instruction in enumerate(code):
        if instruction.base == "BAR" and not instruction.never:
            round_, filled, ahead = round_ + 1, 0, None
        role = None
        if slot := arrives_for(instruction):
            role = Role(slot, False, round_)
            filled += slot == "full"
        elif is_test(instruction):
            slot = _waits_for(code, at)
            if slot == "full" and ahead is None:
                ahead = max(0, stages - 1 - filled)
            role = Role(slot, True, round_, (ahead or 0) if slot == "full" else SPARE + 1)
        found.append(role)
    return found
