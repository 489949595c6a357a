"""Checks that the pages of the repository link to, and name, only what is there.

    check_links.py [FOLDER]    of the repository, or another folder

Links of Markdown may have an anchor, which must be a heading or an <a name>. A path in
backquotes counts as a path of the repository where it starts with one of its folders."""

import re
import sys
from pathlib import Path

FOLDERS = "bench|cmake|docs|examples|include|lib|python|scripts|test|tools"
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./+-]*)`")
HEADING = re.compile(r"^#+ (.*)$", re.M)
BLOCK = re.compile(r"```.*?```", re.S)


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")


def anchors(page: Path) -> "set[str]":
    text = BLOCK.sub("", page.read_text())
    return {anchor_of(h) for h in HEADING.findall(text)} | set(re.findall(r'name="(\w+)"', text))


def missing(root: Path, page: Path) -> "list[str]":
    text = BLOCK.sub("", page.read_text())
    found = []
    for link in LINK.findall(text):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = page.parent / path if path else page
        if not target.exists():
            found.append(f"links to {link}, which is not there")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            found.append(f"links to {link}, which has no such heading")
    found += [f"names {p}, which is not there" for p in PATH.findall(text) if not (root / p).exists()]
    return [f"{page.relative_to(root)} {what}" for what in found]


def pages(root: Path) -> "list[Path]":
    folders = [root, root / "docs", root / "bench", root / "python"]
    found = [*root.glob("*.md")]
    for folder in folders[1:]:
        found += folder.rglob("*.md")
    return sorted(found)


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2]
    lines = [line for page in pages(root) for line in missing(root, page)]
    print("\n".join(lines), file=sys.stderr, end="\n" if lines else "")
    sys.exit(1 if lines else 0)
