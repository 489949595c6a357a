"""Checks that no two files define different things under one name: the linker would keep one
of them for both, silently, and only where the compiler has inlined neither.

    check_names.py [FOLDER]    of the repository, or another folder of C++ files"""

import sys
from collections import defaultdict
from pathlib import Path

from declarations import declarations

FOLDERS = ["include", "lib", "tools", "test/Unit"]


def find_sources(root: Path) -> "list[Path]":
    folders = [root / folder for folder in FOLDERS if (root / folder).is_dir()]
    return sorted(
        path
        for folder in folders or [root]
        for path in folder.rglob("*")
        if path.suffix in (".h", ".cpp")
    )


def find_doubles(root: Path) -> "list[str]":
    """A line for each name that two files define."""
    places = defaultdict(list)
    for path in find_sources(root):
        for declaration in declarations(path.read_text()):
            if declaration.is_shared and declaration.name != "main":
                place = f"{path.relative_to(root)}:{declaration.line}"
                places[declaration.kind, declaration.key].append((path, place))
    return [
        f"{found[0][1]}: {kind} {key} is defined in {', '.join(p for _, p in found[1:])} "
        "too: give one of them another name or namespace"
        for (kind, key), found in sorted(places.items())
        if len({path for path, _ in found}) > 1
    ]


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2]
    doubles = find_doubles(root)
    print("\n".join(doubles), file=sys.stderr, end="\n" if doubles else "")
    sys.exit(1 if doubles else 0)
