"""Checks that folders of C++ include each other without circles: the libraries of lib/ as wholes,
and their rooms, the folders in them. include/SparseAttn/X belongs to lib/X.

    check_circles.py [FOLDER] [--print]    of the repository, or another tree; --print shows the rooms in order"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

INCLUDE = re.compile(r'^\s*(?:#\s*)?include "([^"]+)"', re.M)
SOURCES = (".h", ".cpp", ".td")
PUBLIC = Path("include/SparseAttn")
PRIVATE = Path("lib")


def room_of(path: Path) -> "Path | None":
    """The folder of a file, from lib/ or include/SparseAttn/ on."""
    for top in (PUBLIC, PRIVATE):
        if top in path.parents:
            return path.parent.relative_to(top)
    return None


def resolve(root: Path, source: Path, name: str) -> "Path | None":
    """The file of the project that `source` includes as `name`. A header that is generated stands
    where its .td does."""
    if name.startswith("SparseAttn/"):
        return PUBLIC.parent / name
    for folder in source.parents:
        if (root / folder / name).is_file():
            return folder / name
        if folder == PRIVATE:
            break
    return None


def find_includes(root: Path) -> "dict[tuple[Path, Path], list[str]]":
    """Which room includes which other, and by which lines."""
    found = defaultdict(list)
    for top in (PUBLIC, PRIVATE):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in SOURCES:
                continue
            source = path.relative_to(root)
            for name in INCLUDE.findall(path.read_text()):
                target = resolve(root, source, name)
                if target is None:
                    continue
                a, b = room_of(source), room_of(target)
                if a != b:
                    found[a, b].append(f'{source} includes "{name}"')
    return found


def merge_rooms(includes):
    """The same between libraries."""
    merged = defaultdict(list)
    for (a, b), lines in includes.items():
        if a.parts[0] != b.parts[0]:
            merged[Path(a.parts[0]), Path(b.parts[0])] += lines
    return merged


def sort_rooms(includes) -> "tuple[list[Path], set[Path]]":
    """Rooms, each behind all that it includes, and those that no order has because they stand on a
    circle, or on one that they include."""
    rest = {room for pair in includes for room in pair}
    order = []
    while True:
        free = sorted(r for r in rest if not any(a == r and b in rest for a, b in includes))
        if not free:
            return order, rest
        order += free
        rest -= set(free)


def find_circle(includes, rest: "set[Path]") -> "list[Path]":
    """A circle among these rooms: each of them includes another of them."""
    path = [min(rest)]
    while True:
        room = min(b for a, b in includes if a == path[-1] and b in rest)
        if room in path:
            return path[path.index(room) :] + [room]
        path.append(room)


def describe_circle(what: str, includes) -> "list[str]":
    _, rest = sort_rooms(includes)
    if not rest:
        return []
    circle = find_circle(includes, rest)
    lines = [f"{what} include each other in a circle: {' -> '.join(map(str, circle))}"]
    return lines + [f"  {includes[pair][0]}" for pair in zip(circle, circle[1:])]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--print", action="store_true")
    arguments = parser.parse_args()
    includes = find_includes(arguments.root)
    if arguments.print:
        for room in sort_rooms(includes)[0]:
            print(room, "includes", *sorted(str(b) for a, b in includes if a == room))
    lines = describe_circle("libraries", merge_rooms(includes)) + describe_circle("rooms", includes)
    print("\n".join(lines), file=sys.stderr, end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
