"""Instructions with their control codes, from a listing of nvdisasm -hex.

An instruction has 128 bits. Of the upper word's, bits 41 to 63 are what ptxas wrote for
the scheduler (Volta and later): 4 bits of stall count, a yield flag, 3 bits each for the
barrier that is released when the result is there and for that when operands are read
(7 is none), and a mask of the 6 barriers to wait for.
"""

import dataclasses
import functools
import pathlib
import re
import subprocess

from replay.cubin import Kernel

NO_BARRIER = 7
BARRIERS = 6
LINE = re.compile(r"\s+/\*([0-9a-f]{4,})\*/\s+(.*?)\s*;?\s*/\* 0x([0-9a-f]{16}) \*/")
SECOND_WORD = re.compile(r"\s+/\* 0x([0-9a-f]{16}) \*/")
LABEL = re.compile(r"^(\.?[\w$.]+):")
TARGET = re.compile(r"`\((\.?[\w$.]+)\)")
GROUP_COUNT = re.compile(r", (0x[0-9a-f]+)")


@dataclasses.dataclass(frozen=True)
class Control:
    """What ptxas decided: cycles to stall, and barriers."""

    stall: int
    write: int  # released when the result is there
    read: int  # released when the operands have been read
    wait: int  # a mask

    @classmethod
    def of(cls, upper_word: int) -> "Control":
        bits = upper_word >> 41
        return cls(bits & 15, bits >> 5 & 7, bits >> 8 & 7, bits >> 11 & 63)


@dataclasses.dataclass
class Instruction:
    """`target` is the address that a branch with a label goes to."""

    address: int
    text: str
    control: Control
    target: int | None = None

    @functools.cached_property
    def predicate(self) -> str:
        return self.text.split(" ", 1)[0] if self.text.startswith("@") else ""

    @functools.cached_property
    def op(self) -> str:
        """With its modifiers: LDSM.16.M88.4."""
        text = self.text.removeprefix(self.predicate).lstrip()
        return text.split(" ", 1)[0].rstrip(";")

    @functools.cached_property
    def base(self) -> str:
        return self.op.split(".")[0]

    @functools.cached_property
    def label(self) -> str | None:
        match = TARGET.search(self.text)
        return match[1] if match else None

    @functools.cached_property
    def never(self) -> bool:
        """It issues, and does nothing."""
        return self.predicate == "@!PT"

    @functools.cached_property
    def left_in_flight(self) -> int:
        """How many groups a DEPBAR leaves in flight."""
        match = GROUP_COUNT.search(self.text)
        return int(match[1], 16) if match else 0

    @property
    def stall(self) -> int:
        return max(self.control.stall, 1)


def parse_listing(text: str) -> list[Instruction]:
    """One function's instructions, branches with the addresses of their labels."""
    code: list[Instruction] = []
    labels: dict[str, int] = {}
    pending: list[str] = []
    current: tuple[int, str] | None = None
    for line in text.splitlines():
        if match := LINE.match(line):
            current = int(match[1], 16), match[2]
            labels.update(dict.fromkeys(pending, current[0]))
            pending = []
        elif (match := SECOND_WORD.match(line)) and current:
            code.append(Instruction(*current, Control.of(int(match[1], 16))))
            current = None
        elif match := LABEL.match(line):
            pending.append(match[1])
    for instruction in code:
        if instruction.label:
            instruction.target = labels.get(instruction.label)
    return code


def disassemble(cubin: pathlib.Path, kernel: Kernel, nvdisasm: str) -> list[Instruction]:
    done = subprocess.run([nvdisasm, "-c", "-hex", "-fun", str(kernel.symbol), str(cubin)],
                          capture_output=True, text=True, check=True)
    return parse_listing(done.stdout)
