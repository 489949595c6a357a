"""Plans as a package's manifest prints them, evaluated: which key tiles a query tile
visits, with a mask (partial) and without one (full).
"""

import collections
import dataclasses
import re
from collections.abc import Mapping, Sequence

import draws
from packages import BenchError

CLASS = re.compile(r"rows (.+) to (.+?)(, heavy)?(, table)?$")
# Of a table's query tile the rows and where its key tiles begin; a manifest says of tables
# how many tiles all query tiles have, and an attribute has each.
LISTED = re.compile(
    r"<(\d+) to (\d+)(?:, partial = \[([\d, ]*)\])?(?:, full = \[([\d, ]*)\])?>")
REST = re.compile(
    r"  and \d+ more query tiles?; all (\d+) have (\d+) partial and (\d+) full key tiles$")
SEGMENT = re.compile(
    r"  (full|partial) (.+?) to (.+?)(?: when (.+?) > 0)?"
    r"(?: of (\w+<[^>]*tile = (\d+)>))?(?: where (.+))?$")
DRAW = re.compile(r"  draw (full )?(\d+) blocks of (\d+), (.+) to (.+?)(?: when (.+) > 0)?$")
TILE = re.compile(
    r"tile (\d+) x (\d+)(?: of (\d+) heads)?(?:, where .+?)?(, for few blocks)?$")
PARTS = re.compile(r"\d+ parts?(?:, where .+)?$")
PART = re.compile(r"part (?:folded by (\d+), )?.+, tile (\d+) x (\d+)$")
FUNCTIONS = {"min": min, "max": max, "floordiv": lambda a, b: a // b,
             "lt": lambda a, b: int(a < b), "eq": lambda a, b: int(a == b),
             "select": lambda c, a, b: a if c else b}
# How often each loop of a kernel runs, in the order of RowClass.loops.
Trips = tuple[int, ...]


def evaluate(formula: str | int, names: Mapping[str, int]) -> int:
    """A formula of a plan or a manifest, which are of integers and these functions; the
    plan's floordiv stands between its operands."""
    text = re.sub(r" floordiv (?=[\w(])", " // ", str(formula))
    return int(eval(text, {"__builtins__": {}}, {**FUNCTIONS, **names}))


@dataclasses.dataclass(frozen=True)
class Tiles:
    """Key tiles begin to end, where `when` is above 0. `loop` names the loop over them:
    full, partial, or partial where …, of tiles that are cut by no more than that; and of
    which layout they are, if their keys are no neighbours, with so many keys a tile."""

    loop: str
    begin: str
    end: str
    when: str | None
    keys: int | None = None

    @property
    def runs_once(self) -> bool:
        """Whether there is one tile at any lengths, which takes no loop."""
        return (self.begin.isdigit() and self.end.isdigit()
                and int(self.end) - int(self.begin) <= 1)

    def range(self, names: Mapping[str, int]) -> range:
        if self.when and evaluate(self.when, names) <= 0:
            return range(0)
        return range(evaluate(self.begin, names), evaluate(self.end, names))


@dataclasses.dataclass(frozen=True)
class Draw(Tiles):
    """The tiles among these that random blocks touch."""

    count: int = 0
    block: int = 0


@dataclasses.dataclass(frozen=True)
class TableTile:
    """A query tile of a table: its rows, and the first keys of its tiles."""

    begin: int
    end: int
    partial: tuple[int, ...]
    full: tuple[int, ...]

    @classmethod
    def of(cls, match: re.Match[str]) -> "TableTile":
        partial, full = (tuple(map(int, (match[k] or "").replace(",", " ").split()))
                         for k in (3, 4))
        return cls(int(match[1]), int(match[2]), partial, full)


@dataclasses.dataclass
class RowClass:
    begin: str
    end: str
    heavy: bool
    tile: tuple[int, int]  # queries, keys
    part: int = 0  # the index of the part that it belongs to
    step: int = 1  # of a part that is folded, whose tiles are those of all residues
    segments: list[Tiles] = dataclasses.field(default_factory=list)
    draws: list[Draw] = dataclasses.field(default_factory=list)
    table: list[TableTile] = dataclasses.field(default_factory=list)

    @property
    def loops(self) -> tuple[str, ...]:
        """Of the kernel, in its order: drawn tiles behind others, full ones last. What runs
        once in each block of rows is none, and counts as what they do beside loops."""
        if self.table:
            has = {"partial": any(some.partial for some in self.table),
                   "full": any(some.full for some in self.table)}
            return tuple(name for name in has if has[name])
        tiles = [*self.segments, *self.draws]
        names = dict.fromkeys(some.loop for some in tiles)
        if not self.heavy:
            shared = collections.Counter(some.loop for some in tiles)
            for some in self.segments:
                if some.runs_once and shared[some.loop] == 1:
                    del names[some.loop]
        return tuple(sorted(names, key=is_full))

    def most_keys(self, usual: int) -> int:
        """Of a tile of any of its loops, where tiles of neighbours have the usual number."""
        return max((tiles.keys or usual for tiles in [*self.segments, *self.draws]),
                   default=usual)

    def tiles(self, names: Mapping[str, int]) -> int:
        """How many query tiles a head has: each residue as many as the longest."""
        if self.table:
            return len(self.table)
        count = max(0, evaluate(self.end, names) - evaluate(self.begin, names))
        if self.step > 1:
            count = -(-names["nq"] // self.step)
        return self.step * -(-count // self.tile[0])

    def rows(self, q: int, names: Mapping[str, int]) -> range:
        """Of query tile q, in a class that is not folded."""
        if self.table:
            return range(self.table[q].begin, self.table[q].end)
        return range(q * self.tile[0], min((q + 1) * self.tile[0], names["nq"]))

    def lengths(self, q: int, names: Mapping[str, int]) -> dict[str, int]:
        """Of the residue that query tile q is one of, and the tile's number there."""
        if self.step == 1:
            return {**names, "q": q}
        row, number = divmod(q, self.tiles(names) // self.step)
        residue = (row + names["nk"] - names["nq"]) % self.step
        return {"nq": -(-(names["nq"] - row) // self.step),
                "nk": max(0, -(-(names["nk"] - residue) // self.step)), "q": number}


def is_full(loop: str) -> bool:
    """Whether the loop of that name evaluates no mask."""
    return loop.startswith("full")


def part_of(trips: Trips, index: int, parts: int) -> Trips:
    """What one of `parts` that share the tiles of each loop evenly has of them."""
    return tuple((index + 1) * total // parts - index * total // parts for total in trips)


@dataclasses.dataclass(frozen=True)
class Plan:
    classes: list[RowClass]  # of all parts
    heads: int = 1  # that share a key head, of each of which a tile has its queries
    few_blocks: bool = False  # all classes are split, into parts by a launch's formula

    @property
    def last_part(self) -> int:
        return self.classes[-1].part

    def trips(self, rows: RowClass, q: int, names: Mapping[str, int],
              drawn: Sequence[Sequence[int]] = ()) -> Trips:
        """Of query tile q."""
        return tuple(map(len, self.key_tiles(rows, q, names, drawn)))

    def key_tiles(self, rows: RowClass, q: int, names: Mapping[str, int],
                  drawn: Sequence[Sequence[int]] = ()) -> tuple[tuple[int, ...], ...]:
        """That the loops of query tile q visit, in their order; of a table their first keys.
        `names` has nq and nk; drawn[i] are the key blocks drawn for row block i."""
        if rows.table:
            return tuple(getattr(rows.table[q], name) for name in rows.loops)
        values = rows.lengths(q, names)
        found: dict[str, list[int]] = {name: [] for name in rows.loops}
        if values["nk"] <= 0 or values["q"] * rows.tile[0] >= values["nq"]:
            return tuple(map(tuple, found.values()))
        visited: set[int] = set()
        for segment in rows.segments:
            tiles = segment.range(values)
            if segment.loop in found:
                found[segment.loop] += tiles
            if segment.keys is None:
                visited.update(tiles)
        for draw in rows.draws:
            fresh = self._drawn_tiles(draw, rows.tile, values, drawn) - visited
            found[draw.loop] += sorted(fresh)
            visited |= fresh
        return tuple(map(tuple, found.values()))

    @staticmethod
    def _drawn_tiles(draw: Draw, tile: tuple[int, int], values: Mapping[str, int],
                     drawn: Sequence[Sequence[int]]) -> set[int]:
        (queries, keys), q = tile, values["q"]
        shift = values["nk"] - values["nq"]  # of the first query
        first, last = q * queries, min((q + 1) * queries, values["nq"]) - 1
        blocks = range((first + shift) // draw.block, (last + shift) // draw.block + 1)
        starts = [block * draw.block for row in blocks for block in drawn[row] if block >= 0]
        touched = {tile for start in starts
                   for tile in range(start // keys, -(-(start + draw.block) // keys))}
        return touched & set(draw.range(values))


def parse_table(tiles: Sequence[Mapping[str, Sequence[int]]]) -> list[TableTile]:
    """All query tiles of one of the `tables` that inspect says."""
    return [TableTile(*tile["rows"], tuple(tile["partial"]), tuple(tile["full"]))
            for tile in tiles]


def parse_plan(lines: Sequence[str], table: Sequence[TableTile] = ()) -> Plan:
    """`table` has the tiles of the plan's table, which a manifest does not list."""
    tile, part, step, classes = (0, 0), -1, 1, list[RowClass]()
    heads, few_blocks = 1, False
    for line in lines:
        if PARTS.match(line):
            continue
        if match := TILE.match(line):
            tile, part = (int(match[1]), int(match[2])), 0
            heads, few_blocks = int(match[3] or 1), match[4] is not None
        elif match := PART.match(line):
            step, tile = int(match[1] or 1), (int(match[2]), int(match[3]))
            part += 1
        elif match := CLASS.match(line):
            classes.append(RowClass(match[1], match[2], match[3] is not None, tile, part, step))
            if match[4]:
                classes[-1].table = list(table)
        elif match := LISTED.fullmatch(line.removeprefix("  tile ")):
            if not table:  # which has few tiles then, or its rest is missed below
                classes[-1].table.append(TableTile.of(match))
        elif match := REST.match(line):
            found = (len(table), sum(len(some.partial) for some in table),
                     sum(len(some.full) for some in table))
            if found != tuple(map(int, match.groups())):
                raise BenchError(f"the plan's table has other tiles than '{line.strip()}'")
        elif match := SEGMENT.match(line):
            kind, begin, end, when, layout, keys, where = match.groups()
            loop = kind + (f" of {layout}" if layout else "") + (f" where {where}" if where else "")
            classes[-1].segments.append(
                Tiles(loop, begin, end, when, int(keys) if keys else None))
        elif match := DRAW.match(line):
            full, count, block, begin, end, when = match.groups()
            classes[-1].draws.append(
                Draw("full" if full else "partial", begin, end, when, count=int(count),
                     block=int(block)))
        else:
            raise BenchError(f"'{line}' is no line of a plan that plans.py knows")
    return Plan(classes, heads, few_blocks)


def drawn_blocks(parameters: Mapping[str, int], heads: int, keys: int) -> list[list[list[int]]]:
    """[head][row block]: BigBird's random blocks, by what its pattern says of itself."""
    table = draws.bigbird_blocks(heads, -(-keys // parameters["block"]),
                                 parameters["random_blocks"],
                                 (parameters["window_blocks"] - 1) // 2, parameters["seed"])
    return [[list(map(int, row)) for row in head] for head in table]
