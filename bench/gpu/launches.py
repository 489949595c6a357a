"""What a package's manifest and plan say of a call: its launches, the key tiles that
each block visits, and the bytes that move.
"""

import dataclasses
import functools
import json
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from packages import BenchError, Function
from plans import Plan, RowClass, Trips, drawn_blocks, evaluate, parse_plan, parse_table, part_of
from reach import Computed, computed

# A block has sixteen barriers, one of which is for all of its threads.
MOST_BESIDE = 15
ELEMENT_BYTES = {"f16": 2, "bf16": 2, "f32": 4}


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Of a call."""

    batches: int
    heads: int
    key_heads: int
    queries: int
    keys: int

    @property
    def names(self) -> dict[str, int]:
        """As a manifest's formulas have them."""
        return {"B": self.batches, "Hq": self.heads, "Hkv": self.key_heads,
                "Sq": self.queries, "Sk": self.keys}

    @property
    def lengths(self) -> dict[str, int]:
        """As a plan's do."""
        return {"nq": self.queries, "nk": self.keys}


@dataclasses.dataclass(frozen=True)
class Body:
    """What some blocks of a launch do. `role` is draw (lists random blocks), rows, parts (of
    heavy rows), merge, or states (of the rows of a part of the plan before its last)."""

    role: str
    rows: int  # the index of the row class, or of the first of several
    loops: tuple[str, ...]  # over key tiles, by name, in the kernel's order
    beside: int  # things that loops not over key tiles are over; 0 for loops that run once
    tile_fma: int = 0  # multiply-adds of both products over the largest key tile


@dataclasses.dataclass(frozen=True)
class Launch:
    """The blocks of the first body come first, and their code does."""

    kernel: str
    bodies: tuple[Body, ...]
    grid: str | int
    threads: int
    shared: int  # bytes

    @property
    def role(self) -> str:
        """Of all bodies, each kind once."""
        return "+".join(dict.fromkeys(body.role for body in self.bodies))


def _is_with(rows: RowClass, before: RowClass) -> bool:
    """Whether the launches of the class before compute these rows, too, for they visit
    the same tiles."""
    bounds = [text for tiles in rows.segments for text in (tiles.begin, tiles.end, tiles.when)]
    fixed = not any(text and re.search(r"\bq\b", text) for text in bounds)
    return (fixed and rows.part == before.part and rows.heavy == before.heavy and rows.segments == before.segments
            and not rows.draws and not before.draws)


def _launched(plan: Plan) -> list[list[int]]:
    """The indices of classes, those that share launches together."""
    groups: list[list[int]] = []
    for index, rows in enumerate(plan.classes):
        before = plan.classes[index - 1]
        # Rows of the first class of a last part go on from the states of others.
        goes_on = before.part > 0 and (index < 2 or plan.classes[index - 2].part != before.part)
        if groups and _is_with(rows, before) and not goes_on:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _roles(plan: Plan) -> list[list[tuple[str, int]]]:
    """Of a function's launches, in their order, those of their bodies. The parts of all
    classes run together with the rows of the first."""
    launches = [[("draw", 0)]] if any(rows.draws for rows in plan.classes) else []
    heads = [group[0] for group in _launched(plan)]
    launches += [[("states", index)] for index in heads
                 if plan.classes[index].part < plan.last_part]
    heads = [index for index in heads if plan.classes[index].part == plan.last_part]
    parts = [("parts", index) for index in heads if plan.classes[index].heavy]
    first = plan.classes[heads[0]]
    if parts:
        launches.append(parts + ([] if first.heavy else [("rows", heads[0])]))
    for index in heads:
        if index != heads[0] or not parts or first.heavy:
            launches.append([("merge" if plan.classes[index].heavy else "rows", index)])
    return launches


@dataclasses.dataclass(frozen=True)
class Package:
    """One function for one chip, and the variant of its launches that is asked about: the
    last one, for all sizes, unless `at` has chosen."""

    folder: pathlib.Path
    function: Function
    program: Mapping[str, Any] = dataclasses.field(hash=False)
    variant: int = -1
    multiprocessors: int = 0  # of the device that `at` has chosen it for

    @classmethod
    def read(cls, folder: pathlib.Path, function: Function, architecture: str) -> "Package":
        manifest = json.loads((folder / "manifest.json").read_text())
        for program in manifest["programs"]:
            if (program["name"], program["target"].get("chip")) == (function.name, architecture):
                return cls(folder, function, program)
        raise BenchError(f"{folder} has no {function.name} for {architecture}")

    def at(self, sizes: Sizes, multiprocessors: int) -> "Package":
        """With the variant that a launcher takes for these sizes on such a device."""
        names = {**sizes.names, "sm_count": multiprocessors}
        for index, variant in enumerate(self.program["variants"]):
            if evaluate(variant["when"], names):
                return dataclasses.replace(self, variant=index,
                                           multiprocessors=multiprocessors)
        raise BenchError(f"no variant of {self.function.name} takes {names}")

    @property
    def entry(self) -> Mapping[str, Any]:
        """Of the variant, in the manifest."""
        entry: Mapping[str, Any] = self.program["variants"][self.variant]
        return entry

    @functools.cached_property
    def plan(self) -> Plan:
        lines = self.entry["plans"][0]["plan"]
        listed = self.folder / f"table.{self.program['target'].get('chip')}.json"
        return parse_plan(lines,
                          parse_table(json.loads(listed.read_text())) if listed.exists() else ())

    @property
    def cubin(self) -> pathlib.Path:
        for file in self.program["files"]:
            if file["kind"] == "cubin":
                return self.folder / file["name"]
        raise BenchError(f"{self.folder} has no cubin; it takes ptxas in PATH")

    def parts(self, sizes: Sizes) -> int:
        """Of the states in memory, [batches, heads, query tiles, parts, ...]."""
        if not self.plan.few_blocks:
            return int(self.program["options"]["heavy-splits"])
        return evaluate(self.entry["workspace"]["buffers"][0]["shape"][3], self._names(sizes))

    def _names(self, sizes: Sizes) -> dict[str, int]:
        return {**sizes.names, "sm_count": self.multiprocessors}

    def _planes(self, sizes: Sizes) -> int:
        """Batches times heads, or times tiles of heads."""
        if self.plan.heads == 1:
            return sizes.batches * sizes.heads
        group = sizes.heads // sizes.key_heads
        return sizes.batches * sizes.key_heads * -(-group // self.plan.heads)

    def launches(self, sizes: Sizes) -> list[Launch]:
        """Those that have a block."""
        roles, entries = _roles(self.plan), self.entry["launches"]
        if len(roles) != len(entries):
            raise BenchError(f"{self.function.name} has {len(entries)} launches, its plan"
                             f" is known to take {len(roles)}")
        found = []
        for bodies, entry in zip(roles, entries, strict=True):
            found.append(Launch(
                entry["kernel"], tuple(self._body(role, rows, sizes) for role, rows in bodies),
                entry["grid"][0], entry["block"][0], entry.get("shared_bytes", 0)))
        return [launch for launch in found if evaluate(launch.grid, self._names(sizes)) > 0]

    def _body(self, role: str, rows: int, sizes: Sizes) -> Body:
        loops = self.plan.classes[rows].loops if role in ("parts", "rows", "states") else ()
        beside = {"merge": self.parts(sizes), "rows": self._row_blocks(rows)}.get(role, 0)
        keys = self.plan.classes[rows].most_keys(self.plan.classes[rows].tile[1])
        fma = self._rows_of_tile(rows) * keys * 2 * self.function.head_size
        return Body(role, rows, loops, beside, fma if loops else 0)

    def _rows_of_tile(self, rows: int) -> int:
        """Of a class that has few rows at any length, as many as hold them."""
        some = {"nq": 1 << 20, "nk": 1 << 20}
        count = (evaluate(self.plan.classes[rows].end, some)
                 - evaluate(self.plan.classes[rows].begin, some))
        return self.plan.heads * min(-(-count // 16) * 16, self.plan.classes[rows].tile[0])

    def _row_blocks(self, rows: int) -> int:
        """How many rows of random blocks a query tile gathers; 0 without any."""
        of_class = self.plan.classes[rows]
        return max((-(-of_class.tile[0] // draw.block) for draw in of_class.draws), default=0)

    def block_trips(self, launch: Launch, sizes: Sizes, l2_bytes: int) -> list[list[Trips]]:
        """Of each block of each body, in the grid's order. Where parts run beside others in
        a block, those of one of them."""
        left = evaluate(launch.grid, self._names(sizes))
        beside = self.beside(launch, sizes)
        found = []
        for body in launch.bodies[:-1]:
            parts = self._blocks(body, self._parts_blocks(body.rows, sizes), sizes, l2_bytes)
            found.append([trips for _, trips in parts[::beside]])
            left -= len(found[-1])
        last = self._blocks(launch.bodies[-1], left, sizes, l2_bytes)
        return [*found, [trips for _, trips in last]]

    def computed(self, launch: Launch, sizes: Sizes,
                 l2_bytes: int) -> list[tuple[Computed, ...]]:
        """Of each block of rows, in the grid's order, what its warps compute in the
        iterations of each loop; none where all warps compute in all of them, as in folded
        parts. Their rows are at most those of one class."""
        body = launch.bodies[-1]
        if body.role != "rows" or self.plan.classes[body.rows].step > 1:
            return []
        count = len(self.block_trips(launch, sizes, l2_bytes)[-1])
        of_tile = functools.cache(
            lambda q: self._computed(self.plan.classes[body.rows], q, sizes, launch.threads // 32))
        return [of_tile(q) for q, _ in self._blocks(body, count, sizes, l2_bytes)]

    def _computed(self, rows: RowClass, q: int, sizes: Sizes,
                  warps: int) -> tuple[Computed, ...]:
        tiles = self.plan.key_tiles(rows, q, sizes.lengths, _no_draws(rows, sizes))
        size = 1 if rows.table else rows.tile[1]
        return tuple(computed(self.function.pattern, (sizes.queries, sizes.keys), rows.tile,
                              rows.rows(q, sizes.lengths), [size * tile for tile in some], warps)
                     for some in tiles)

    def beside(self, launch: Launch, sizes: Sizes) -> int:
        """How many parts run beside one another in a block of this launch: as many as its
        grid leaves room for behind the blocks of rows."""
        if launch.bodies[-1].role != "rows" or len(launch.bodies) == 1:
            return 1
        rows = self.plan.classes[launch.bodies[-1].rows]
        whole = sizes.batches * sizes.heads * rows.tiles(sizes.lengths)
        parts = [self._parts_blocks(body.rows, sizes) for body in launch.bodies[:-1]]
        left = evaluate(launch.grid, self._names(sizes)) - whole
        for beside in range(1, MOST_BESIDE + 1):
            if sum(-(-some // beside) for some in parts) == left:
                return beside
        raise BenchError(f"{launch.kernel} has {left} blocks for {sum(parts)} parts")

    def _parts_blocks(self, rows: int, sizes: Sizes) -> int:
        """One a part of each query tile, whose rows are at most those of the plan's tile."""
        group = next(group for group in _launched(self.plan) if group[0] == rows)
        tiles = sum(self.plan.classes[index].tiles(sizes.lengths) for index in group)
        return self._planes(sizes) * tiles * self.parts(sizes)

    def _blocks(self, body: Body, count: int, sizes: Sizes,
                l2_bytes: int) -> list[tuple[int, Trips]]:
        """Of `count` blocks the query tile and the trips, in the grid's order: heads in groups whose keys and values fit
        half of the second-level cache, and of each group the later query tiles first. Of the
        parts of a heavy row tile the order is of no account."""
        if body.role in ("draw", "merge"):
            return [(0, ())] * count
        rows = self.plan.classes[body.rows]
        parts = self.parts(sizes) if body.role == "parts" else 1
        planes = self._planes(sizes)
        tiles = count // planes // parts
        by_head = [[self._trips(rows, head, q, sizes) for q in range(tiles)]
                   for head in range(sizes.heads if rows.draws else 1)]
        blocks = []
        for group in _groups(planes, l2_bytes // 2 // max(1, sizes.keys * self._key_bytes)):
            for q in range(tiles):
                for plane in group:
                    whole = by_head[plane % len(by_head)][q]
                    blocks += [(q, part_of(whole, index, parts)) for index in range(parts)]
        return blocks[::-1]

    @property
    def _key_bytes(self) -> int:
        """Of a key and its value."""
        return 2 * self.function.head_size * ELEMENT_BYTES[self.function.dtype]

    def _trips(self, rows: RowClass, head: int, q: int, sizes: Sizes) -> Trips:
        drawn = _drawn(self.function, sizes)[head] if rows.draws else ()
        return self.plan.trips(rows, q, sizes.lengths, drawn)

    def moved_bytes(self, launch: Launch, sizes: Sizes) -> int:
        """To and from memory, each array once: what is read again is in the second-level
        cache."""
        token = self._key_bytes * sizes.batches
        keys = sizes.key_heads * sizes.keys * token
        queries = sizes.heads * sizes.queries * token  # and results
        space = evaluate(self.entry["workspace"]["bytes"], self._names(sizes))
        heavy = max(1, sum(self.plan.classes[group[0]].heavy for group in _launched(self.plan)))
        # Of a part of the plan: two numbers and a row of f32.
        states = 4 * (2 + self.function.head_size) * sizes.batches * sizes.heads * sizes.queries
        stored = self.plan.last_part * states
        of_heavy = max(0, space - stored) // heavy
        moved = {"draw": 0, "rows": queries + stored, "parts": of_heavy, "merge": of_heavy,
                 "states": queries // 2 + states}
        total = sum(moved[body.role] for body in launch.bodies)
        return total + (keys if any(body.loops for body in launch.bodies) else 0)


def _groups(count: int, most: int) -> list[range]:
    """Numbers below `count` in groups of `most`, or of 1."""
    size = max(1, most)
    return [range(first, min(first + size, count)) for first in range(0, count, size)]


def _no_draws(rows: RowClass, sizes: Sizes) -> list[list[int]]:
    """For who leaves out the tiles of lists: loops over these compute with all rows."""
    return [[] for _ in range(sizes.keys)] if rows.draws else []


@functools.cache
def _drawn(function: Function, sizes: Sizes) -> list[list[list[int]]]:
    return drawn_blocks(function.pattern.parameters, sizes.heads, sizes.keys)
