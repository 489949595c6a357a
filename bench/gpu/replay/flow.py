"""Basic blocks, dominators and natural loops of one kernel."""

import collections
import dataclasses
import enum
import functools
import re
from collections.abc import Iterable

from replay.pipes import TENSOR
from replay.ring import is_test
from replay.sass import Instruction

# An instruction, and whether it jumps.
Program = list[tuple[Instruction, bool]]
BRANCHES = ("BRA", "CALL")
ENDS = ("EXIT", "RET", "BRX", "JMX")
# So many instructions before a branch may stand what decides it.
LOOK_BACK = 64
# A block of code with so many selections masks a tile.
MASKED_PAIRS = 8
CONDITION = re.compile(r"BRA\S* !?U?P\d")
COUNTED_BARRIER = re.compile(r"BAR\.\S+ 0x[0-9a-f]+, (0x[0-9a-f]+)")
COMPARISON = re.compile(r"U?ISETP(\S*) (U?P\d), (.*)")
PARAMETER = re.compile(r"c\[0x[0-9a-f]+\]\[0x[0-9a-f]+\]")
STEP = re.compile(r"(?:U?IADD3|VIADD) (U?R\d+), (?:U?P\d, )?\1(?:\.reuse)?, (-?0x[0-9a-f]+)")


class Work(enum.IntEnum):
    """What a warp does with a tile, by how many of the pairs of its rows are live."""

    NONE = 0
    PLAIN = 1  # all pairs are
    MASKED = 2


@dataclasses.dataclass(frozen=True)
class Loop:
    """The longest way through a loop from its head back to it: of two sides that can be
    chosen, the longer one is taken. `plain` is the longest one around the mask, by which a
    warp goes that sees all pairs of its rows, and `skip` the longest that has no product, by
    which one goes that sees none; None where there is no such way."""

    path: Program
    head: int  # indices into the kernel's code
    first: int
    last: int
    plain: Program | None = None
    skip: Program | None = None

    @property
    def has_choice(self) -> bool:
        return self.plain is not None or self.skip is not None

    def program(self, works: Iterable[Work]) -> Program:
        """One iteration after another, of such work."""
        return [step for work in works for step in self._way(work)]

    def _way(self, work: Work) -> Program:
        way = {Work.MASKED: None, Work.PLAIN: self.plain, Work.NONE: self.skip}[work]
        return self.path if way is None else way

    @property
    def code(self) -> list[Instruction]:
        return [instruction for instruction, _ in self.path]

    def trips(self, total: int) -> int:
        """Of a loop over `total` things, by its counter: one that goes down does so from
        there, one that goes up has the limit in its comparison, or takes as many things in
        an iteration as it counts. Without a counter, one in each."""
        step, limit = self._counter
        if step < 0:
            return max(1, total // -step)
        return max(1, limit // step) if limit else total // step

    @property
    def things(self) -> int:
        """How many an iteration takes where the number of all is known at run time only."""
        step, limit = self._counter
        return 1 if limit else max(1, step)

    @functools.cached_property
    def _counter(self) -> tuple[int, int]:
        """What an iteration adds to it, and the number that it goes up to; 0 where it is
        known at run time only."""
        registers, limit = self._comparison()
        for instruction in self.code:
            match = STEP.match(instruction.text)
            if match and match[1] in registers:
                return int(match[2], 16), limit
        return 1, 0

    def _comparison(self) -> tuple[set[str], int]:
        """The registers, and the number if there is one, that decide whether the loop
        goes on. 64 bits take two comparisons, of which the lower word's is first."""
        branch = next((i for i in reversed(self.code) if i.base in BRANCHES and i.predicate),
                      self.code[-1])
        predicate = branch.predicate.lstrip("@!")
        for instruction in reversed(self.code):
            match = COMPARISON.match(instruction.text)
            if match and match[2] == predicate and ".EX" not in match[1]:
                operands = PARAMETER.sub("", match[3])
                numbers = re.findall(r"\b0x[0-9a-f]+", operands)
                return set(re.findall(r"U?R\d+", operands)), int((numbers or ["0"])[-1], 16)
        return set(), 0


def trips_over(loops: Iterable[Loop], total: int) -> list[int]:
    """Of loops over `total` things, one after another. Behind one that takes several things
    at a time, those that take fewer are over the rest."""
    found: list[int] = []
    left, before = total, 1
    for loop in loops:
        if loop.things >= before:
            left = total
        found.append(loop.trips(left) if left else 0)
        left, before = left % loop.things, loop.things
    return found


def _products(program: Program) -> int:
    return sum(instruction.base in TENSOR for instruction, _ in program)


def is_vote(instruction: Instruction) -> bool:
    """A barrier that tells all threads of a block what any or all of them found."""
    return instruction.base == "BAR" and ".RED" in instruction.op


def threads_of_barriers(loop: Loop) -> int | None:
    """How many threads the loop's barriers wait for, where they say so; else all wait."""
    for instruction in loop.code:
        if instruction.base == "BAR" and (match := COUNTED_BARRIER.search(instruction.text)):
            return int(match[1], 16)
    return None


def has_barriers(loop: Loop) -> bool:
    """Whether warps of the block wait for each other in the loop."""
    return any(instruction.base == "BAR" or is_test(instruction) for instruction in loop.code)


def is_conditional(branch: Instruction) -> bool:
    return bool(branch.predicate) or CONDITION.search(branch.text) is not None


class Flow:
    """Blocks are named by the index of their first instruction."""

    def __init__(self, code: list[Instruction]) -> None:
        self.code = code
        self.place = {instruction.address: n for n, instruction in enumerate(code)}
        starts = sorted(start for start in self._starts() if start < len(code))
        self.ends = dict(zip(starts, [*starts[1:], len(code)]))
        self.next = {start: self._targets(end) for start, end in self.ends.items()}
        self.order = self._reverse_postorder()
        self.rank = {block: n for n, block in enumerate(self.order)}
        self.before = collections.defaultdict(list)
        for block in self.order:
            for target in self.next[block]:
                self.before[target].append(block)

    def _starts(self) -> set[int]:
        starts = {0}
        for n, instruction in enumerate(self.code):
            if instruction.base in BRANCHES and instruction.target in self.place:
                starts.add(self.place[instruction.target])
            if instruction.base in BRANCHES + ENDS:
                starts.add(n + 1)
        return starts

    def _tests_again(self, at: int) -> bool:
        """Whether a branch is taken where a test of an mbarrier has failed."""
        branch = self.code[at]
        if branch.base != "BRA" or not branch.predicate:
            return False
        predicate = branch.predicate.lstrip("@!")
        for before in range(at - 1, max(at - LOOK_BACK, -1), -1):
            instruction = self.code[before]
            if instruction.base in BRANCHES:
                return False
            if re.search(rf" {predicate}, ", instruction.text):
                return is_test(instruction)
        return False

    def _targets(self, end: int) -> list[int]:
        """Where the block that ends before `end` goes. BRA.DIV leaves the way of warps
        whose lanes are together, and is not followed; nor is the way of a warp that has to
        test an mbarrier again. A CALL comes back."""
        last = self.code[end - 1]
        diverges = ".DIV" in last.op or self._tests_again(end - 1)
        targets, falls_through = [], True
        if last.base in BRANCHES and last.target in self.place:
            if not diverges:
                targets.append(self.place[last.target])
            falls_through = diverges or is_conditional(last) or last.base == "CALL"
        elif last.base in ENDS:
            falls_through = bool(last.predicate)
        if falls_through and end < len(self.code):
            targets.append(end)
        return targets

    def _reverse_postorder(self) -> list[int]:
        order, seen, stack = [], {0}, [(0, iter(self.next[0]))]
        while stack:
            block, targets = stack[-1]
            for target in targets:
                if target not in seen:
                    seen.add(target)
                    stack.append((target, iter(self.next[target])))
                    break
            else:
                order.append(block)
                stack.pop()
        return order[::-1]

    @functools.cached_property
    def parent(self) -> dict[int, int]:
        """Of each block the immediate dominator (Cooper, Harvey and Kennedy)."""
        parent, changed = {0: 0}, True
        while changed:
            changed = False
            for block in self.order[1:]:
                known = [other for other in self.before[block] if other in parent]
                found = functools.reduce(lambda a, b: self._meet(parent, a, b), known)
                changed |= parent.get(block) != found
                parent[block] = found
        return parent

    def _meet(self, parent: dict[int, int], a: int, b: int) -> int:
        while a != b:
            while self.rank[a] > self.rank[b]:
                a = parent[a]
            while self.rank[b] > self.rank[a]:
                b = parent[b]
        return a

    def dominates(self, a: int, b: int) -> bool:
        while b not in (a, 0):
            b = self.parent[b]
        return a == b

    @functools.cached_property
    def back_edges(self) -> set[tuple[int, int]]:
        return {(block, head) for block in self.order for head in self.next[block]
                if self.dominates(head, block)}

    @functools.cached_property
    def bodies(self) -> dict[int, set[int]]:
        """The blocks of each natural loop, by its head."""
        bodies: dict[int, set[int]] = {}
        for latch, head in self.back_edges:
            body = bodies.setdefault(head, {head})
            stack = [latch]
            while stack:
                block = stack.pop()
                if block not in body:
                    body.add(block)
                    stack += self.before[block]
        return bodies

    @functools.cached_property
    def votes(self) -> list[int]:
        """The blocks in which all threads vote."""
        return [block for block in self.order
                if any(map(is_vote, self.code[block:self.ends[block]]))]

    def is_behind_a_vote(self, block: int) -> bool:
        return any(vote != block and self.dominates(vote, block) for vote in self.votes)

    def leading_to(self, heads: Iterable[int]) -> set[int]:
        """The blocks from which there is a way to one of these."""
        found: set[int] = set()
        stack = list(heads)
        while stack:
            block = stack.pop()
            if block not in found:
                found.add(block)
                stack += self.before[block]
        return found

    def has_tensor(self, body: set[int]) -> bool:
        return any(instruction.base in TENSOR for block in body
                   for instruction in self.code[block:self.ends[block]])

    def loop(self, head: int) -> Loop:
        body = self.bodies[head]
        last = max(self.ends[block] for block in body) - 1
        path = self._longest_way(head, body)
        assert path is not None
        unmasked = {block for block in body if not self._masks(block)}
        plain = self._longest_way(head, unmasked) if unmasked < body else None
        if plain is not None and _products(plain) < _products(path):
            plain = None
        idle = {block for block in body if not self.has_tensor({block})}
        return Loop(path, head, min(body), last, plain, self._longest_way(head, idle))

    def _masks(self, block: int) -> bool:
        """Whether it is there to leave out pairs of a tile."""
        selects = [i for i in self.code[block:self.ends[block]] if i.base == "FSEL"]
        return len(selects) >= MASKED_PAIRS and not self.has_tensor({block})

    def _longest_way(self, head: int, body: set[int]) -> Program | None:
        """From the head back to it; None where these blocks have no such way."""
        if head not in body:
            return None
        best: dict[int, tuple[int, int | None]] = {head: (self.ends[head] - head, None)}
        for block in sorted(body, key=lambda b: self.rank[b]):
            for target in self.next[block] if block in best else ():
                if target not in body or (block, target) in self.back_edges:
                    continue
                length = best[block][0] + self.ends[target] - target
                if target not in best or length > best[target][0]:
                    best[target] = length, block
        latches = [b for b in body if head in self.next[b] and b in best]
        if not latches:
            return None
        at: int | None = max(latches, key=lambda b: best[b][0])
        way: list[int] = []
        while at is not None:
            way.insert(0, at)
            at = best[at][1]
        path: Program = []
        for block, target in zip(way, [*way[1:], head]):
            *inside, last = self.code[block:self.ends[block]]
            path += [(instruction, False) for instruction in inside]
            path.append((last, target != self.ends[block]))
        return path


def tile_loops(flow: Flow) -> list[Loop]:
    """Innermost loops with products, in the code's order, that are not behind a vote of the
    block: there is the path for operands that are not trusted."""
    bodies = {head: body for head, body in flow.bodies.items() if flow.has_tensor(body)}
    heads = [head for head, body in bodies.items() if not flow.is_behind_a_vote(head)
             and not any(other in body for other in bodies if other != head)]
    return sorted(map(flow.loop, heads), key=lambda loop: loop.first)


def other_loops(flow: Flow) -> list[Loop]:
    """Outermost loops without products, in the code's order. What is inside of them is
    part of their way, once."""
    heads = [head for head, body in flow.bodies.items() if not flow.has_tensor(body)
             and not any(head in around for other, around in flow.bodies.items()
                         if other != head)]
    return sorted(map(flow.loop, heads), key=lambda loop: loop.first)
