"""All warps of one multiprocessor on one program, cycle by cycle.

Each of the four sub-partitions issues one instruction a cycle. Of the warps that could
issue next, anywhere, the one that can do so earliest is taken, and of several the one
that has issued last.
"""

import dataclasses
import heapq
import random
import re
from collections import defaultdict
from collections.abc import Sequence

from replay.chips import Chip
from replay.flow import Program
from replay.pipes import pipe_of, shared_cycles, tensor_cycles
from replay.ring import Role, roles
from replay.sass import BARRIERS, NO_BARRIER, Instruction

SUBPARTITIONS = 4
# Cycles from issue until a queued instruction reaches its pipe, and until its operands
# are read; what special registers and spilled registers in L1 take.
TO_XU, TO_QUEUE, OPERANDS, SPECIAL = 2, 4, 2, 33
WGMMA_LATENCY, MBARRIER_LATENCY = 24, 24
# A fence of the block that has nothing to wait for; what a test of an mbarrier takes
# beside its load on sm_80, where a warp that waits tests again and again.
FENCE, TEST = 20, 12
LOCAL = ("S2R", "CS2R", "LDC", "LDL", "STL")
# No more groups of copies than this are looked back at.
GROUPS = 8
ZERO_BARRIER = re.compile(r"BAR\.\S+ 0x0\b|BAR\.RED")


@dataclasses.dataclass(frozen=True)
class Step:
    """An instruction as the machine needs it; times in cycles."""

    pipe: str
    kind: str
    cost: float  # that the pipe is busy
    stall: int
    write: int
    read: int
    waits: tuple[int, ...]
    latency: int
    left_in_flight: int  # groups, of a DEPBAR
    ends_group: bool  # of wgmma
    role: Role | None = None  # at an mbarrier


def _kind_of(instruction: Instruction, pipe: str, jumps: bool) -> str:
    base, op = instruction.base, instruction.op
    if base == "BAR" and ".ARV" not in op:
        return "barrier" if ZERO_BARRIER.search(instruction.text) else "named barrier"
    if base == "WARPGROUP" and "DEPBAR" in op:
        return "wait for products"
    kinds = {"LDGDEPBAR": "commit", "DEPBAR": "wait for copies", "MEMBAR": "fence"}
    if base in kinds:
        return kinds[base]
    if jumps:
        return "branch"
    if base == "SYNCS":
        return "mbarrier"
    if pipe == "tensor":
        return "wgmma" if "GMMA" in op else "plain"
    if pipe == "global":
        return "copy" if base == "LDGSTS" else "local" if base in LOCAL else "global"
    return pipe if pipe in ("xu", "shared") else "plain"


def decode(instruction: Instruction, jumps: bool, chip: Chip,
           role: Role | None = None) -> Step:
    pipe = pipe_of(instruction)
    kind = _kind_of(instruction, pipe, jumps)
    rates = {"xu": chip.xu, "fma": chip.fma, "imad": chip.imad, "alu": chip.alu,
             "uniform": chip.uniform, "global": 1.0}
    cost = rates.get(pipe, 0.0)
    if pipe == "tensor":
        cost = tensor_cycles(instruction, chip)
    elif pipe == "shared" or kind == "copy":
        cost = shared_cycles(instruction)
    elif pipe == "imad" and chip.fma == chip.imad:
        pipe = "fma"  # one pipe has both
    control = instruction.control
    waits = tuple(b for b in range(BARRIERS) if control.wait >> b & 1)
    latency = chip.shuffle_latency if instruction.base == "SHFL" else chip.shared_latency
    return Step(pipe, kind, cost, instruction.stall, control.write, control.read, waits,
                latency, instruction.left_in_flight, "gsb0" in instruction.text, role)


class Warp:
    """Where a warp stands. Times are absolute, in cycles."""

    __slots__ = ("identity", "block", "subpartition", "at", "ready", "barriers", "groups",
                 "copied", "products", "done", "last", "numbers")

    def __init__(self, identity: int, block: int, subpartition: int, ready: float) -> None:
        self.identity, self.block, self.subpartition = identity, block, subpartition
        self.at, self.ready, self.last = 0, ready, -1.0
        self.barriers = [0.0] * BARRIERS
        self.groups: list[float] = []  # when each group of copies is there
        self.copied = 0.0  # when the copies of the open group are
        self.products: list[float] = []  # when each group of wgmma is
        self.done: list[float] = []  # when each run of the program ended
        # Operations at mbarriers so far, by round, slot and whether they wait.
        self.numbers: defaultdict[tuple[int, str, bool], int] = defaultdict(int)


class Machine:
    """`blocks` blocks, of a warp for each program, run these again and again; they start
    apart from each other, at random within one run. `stages`: slots of rings."""

    def __init__(self, chip: Chip, programs: Sequence[Program], blocks: int,
                 seed: int = 0, stages: int = 2) -> None:
        warps = len(programs)
        self.chip, self.warps_per_block = chip, warps
        # Warps with one program share its steps.
        decoded = {id(program): [decode(instruction, jumps, chip, role) for (instruction, jumps), role
                                 in zip(program, roles(program, stages))]
                   for program in programs}
        self.steps = [decoded[id(program)] for program in programs]
        self.meets = any(step.kind == "barrier" for step in self.steps[0])
        length = max(sum(instruction.stall for instruction, _ in program)
                     for program in programs)
        rng = random.Random(seed)
        offsets = [rng.random() * length for _ in range(blocks)]
        self.warps = [Warp(number, number // warps, number % SUBPARTITIONS,
                           offsets[number // warps]) for number in range(blocks * warps)]
        self.arrived: list[list[Warp]] = [[] for _ in range(blocks)]
        # Of each phase of an mbarrier when its warps arrived, and who waits for it.
        self.phases: defaultdict[tuple[int, ...], list[float]] = defaultdict(list)
        self.waiting: defaultdict[tuple[int, ...], list[tuple[Warp, Step]]] = defaultdict(list)
        self.free: list[defaultdict[str, float]] = [
            defaultdict(float) for _ in range(SUBPARTITIONS)]
        self.now = [0.0] * SUBPARTITIONS
        self.path = self.l2 = 0.0  # when shared memory's path and the cache are free
        self.busy: defaultdict[str, float] = defaultdict(float)
        self.issued = 0

    def next_step(self, warp: Warp) -> Step:
        return self.steps[warp.identity % self.warps_per_block][warp.at]

    def earliest(self, warp: Warp) -> float:
        """When the warp's next instruction can issue, if no other one does before."""
        step = self.next_step(warp)
        time = max(warp.ready, self.now[warp.subpartition])
        for barrier in step.waits:
            time = max(time, warp.barriers[barrier])
        if step.kind == "plain":
            if step.cost:
                time = max(time, self.free[warp.subpartition][step.pipe])
        elif step.kind == "xu":
            time = max(time, self.free[warp.subpartition]["xu"] - self.chip.queue)
        elif step.kind in ("shared", "copy"):
            time = max(time, self.path - self.chip.queue)
        elif step.kind in ("wait for copies", "wait for products"):
            groups = warp.groups if step.kind == "wait for copies" else warp.products
            waited = groups[:len(groups) - step.left_in_flight]
            time = max([time, *waited])
        return time

    def run(self, times: int) -> "Machine":
        """Until every warp has run the program so many times.

        The heap has lower bounds: nothing that a warp waits for becomes earlier by what
        others do. So the least entry that is still true is the next to issue.
        """
        heap = [(self.earliest(w), -w.last, w.identity) for w in self.warps]
        heapq.heapify(heap)
        while heap:
            entry = heap[0]
            warp = self.warps[entry[2]]
            time = self.earliest(warp)
            if time > entry[0]:
                heapq.heapreplace(heap, (time, *entry[1:]))
                continue
            heapq.heappop(heap)
            released = self.issue(warp, time)
            if warp.at == len(self.steps[warp.identity % self.warps_per_block]):
                warp.at = 0
                warp.done.append(time)
            for mate in released:
                if len(mate.done) < times:
                    heapq.heappush(heap, (self.earliest(mate), -mate.last, mate.identity))
        return self

    def issue(self, warp: Warp, time: float) -> list[Warp]:
        """The warps that can go on: this one, unless it waits for others."""
        step = self.next_step(warp)
        self.now[warp.subpartition] = time + 1
        self.issued += 1
        warp.ready, warp.last = time + step.stall, time
        warp.at += 1
        if step.kind == "barrier":
            return self._arrive(warp, time)
        released = [warp]
        if step.role:
            released = self._at_mbarrier(warp, step, step.role, time)
        done, read = self._complete(warp, step, time)
        if step.write != NO_BARRIER:
            warp.barriers[step.write] = max(warp.barriers[step.write], done)
        if step.read != NO_BARRIER:
            warp.barriers[step.read] = max(warp.barriers[step.read], read)
        return released

    def _at_mbarrier(self, warp: Warp, step: Step, role: Role, time: float) -> list[Warp]:
        """The warps that can go on. A program in which the block meets begins anew with
        each run, a loop goes on."""
        run = len(warp.done) if self.meets else 0
        name = (role.round, role.slot, role.waits)
        number = warp.numbers[run, *name] - role.offset
        warp.numbers[run, *name] += 1
        phase = (warp.block, run, role.round, role.slot, number)
        arrivals = self.phases[phase]
        if role.waits:
            if number >= 0 and len(arrivals) < self.warps_per_block:
                self.waiting[phase].append((warp, step))
                return []
            self._pass(warp, step, max(arrivals, default=0.0), time)
            return [warp]
        there = time + self.chip.shared_latency
        arrivals.append(max(there, warp.copied) if role.slot == "full" else there)
        if len(arrivals) < self.warps_per_block:
            return [warp]
        waiting = self.waiting.pop(phase, [])
        for mate, waited in waiting:
            self._pass(mate, waited, max(arrivals), time)
        return [warp, *(mate for mate, _ in waiting)]

    def _pass(self, warp: Warp, step: Step, complete: float, time: float) -> None:
        """Lets the warp go on when the phase is complete and it has noticed."""
        if complete <= time:
            return
        if step.kind == "mbarrier":
            complete += MBARRIER_LATENCY
        else:
            complete += self.chip.shared_latency + TEST
        warp.ready = max(warp.ready, complete)

    def _arrive(self, warp: Warp, time: float) -> list[Warp]:
        mates = self.arrived[warp.block]
        mates.append(warp)
        if len(mates) < self.warps_per_block:
            return []
        self.arrived[warp.block] = []
        for mate in mates:
            mate.ready = max(mate.ready, time + self.chip.barrier_latency)
        return mates

    def _complete(self, warp: Warp, step: Step, time: float) -> tuple[float, float]:
        """When the result is there, and when the operands have been read."""
        chip, free, kind = self.chip, self.free[warp.subpartition], step.kind
        done, read = time + step.stall, time + OPERANDS
        if kind == "plain":
            if step.cost:
                free[step.pipe] = time + step.cost
                self.busy[step.pipe] += step.cost
        elif kind == "xu":
            start = max(time + TO_XU, free["xu"])
            free["xu"] = start + step.cost
            self.busy["xu"] += step.cost
            return start + chip.xu_latency, start + 4
        elif kind == "shared":
            start = self._take_path(step, time)
            return start + step.cost - 1 + step.latency, start + step.cost
        elif kind == "copy":
            start = self._take_path(step, time)
            self.l2 = max(self.l2, start) + 128 * step.cost / chip.l2_rate
            done = self.l2 + chip.l2_latency
            warp.copied = max(warp.copied, done)
            return done, start + 8
        elif kind in ("global", "local"):
            return time + (SPECIAL if kind == "local" else chip.l2_latency), time + 12
        elif kind == "commit":
            warp.groups = [*warp.groups, warp.copied][-GROUPS:]
            done, warp.copied = warp.copied, 0.0
        elif kind == "wgmma":
            start = max(time + TO_QUEUE, free["tensor"])
            free["tensor"] = start + step.cost
            self.busy["tensor"] += step.cost
            if step.ends_group:
                end = start + step.cost + WGMMA_LATENCY
                warp.products = [*warp.products, end][-GROUPS:]
        elif kind == "mbarrier":
            done = time + MBARRIER_LATENCY
        elif kind == "fence":
            warp.ready += FENCE
        elif kind == "branch":
            warp.ready += chip.branch
        return done, read

    def _take_path(self, step: Step, time: float) -> float:
        """Of shared memory; when the instruction's turn comes."""
        start = max(time + TO_QUEUE, self.path)
        self.path = start + step.cost
        self.busy["shared"] += step.cost
        return start
