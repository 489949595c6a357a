#!/usr/bin/env python3
"""Draws results: time over length for every pattern, ours and the peers', as PNG.

Which files a document of results makes is known without Matplotlib, for the report.
"""

import argparse
import math
import pathlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from documents import COLUMNS, RESULTS, ROOT, Document, by_shape, fastest, load_documents
from packages import BenchError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTS = ROOT / "docs" / "performance"
STYLES = {
    "ours": ("sparse_attn", "tab:blue", "o"),
    "flex": ("FlexAttention, compiled", "tab:orange", "s"),
    "dense": ("SDPA dense, best backend", "tab:gray", "^"),
    "causal": ("SDPA causal, best backend", "black", "v"),
    "layer": ("Hugging Face's layer", "tab:red", "x"),
}
Draw = Callable[["Figure"], None]


def _series(cases: list[dict[str, Any]], column: str) -> list[tuple[int, float]]:
    names = COLUMNS.get(column, (column,))
    found = [(case["n"], fastest(case, names)) for case in cases]
    return [(n, best[1]["seconds"] * 1e3) for n, best in found if best]


def draw_times(cases: list[dict[str, Any]], title: str) -> Draw:
    """A small plot a pattern, both axes logarithmic: slope 1 is linear time."""
    patterns = {case["pattern"]: case["title"] for case in cases}

    def draw(figure: "Figure") -> None:
        columns = min(4, len(patterns))
        rows = math.ceil(len(patterns) / columns)
        figure.set_size_inches(3.6 * columns, 3.0 * rows + 0.8)
        handles = {}
        for number, (pattern, name) in enumerate(patterns.items(), 1):
            axes = figure.add_subplot(rows, columns, number)
            mine = [case for case in cases if case["pattern"] == pattern]
            for column, (label, colour, marker) in STYLES.items():
                points = _series(mine, column)
                if points:
                    handles[label], = axes.plot(*zip(*points), marker=marker, color=colour,
                                                markersize=4, linewidth=1.2)
            axes.set(xscale="log", yscale="log", title=name)
            axes.set_xscale("log", base=2)
            axes.set_xlabel("tokens")
            axes.set_ylabel("ms")
            axes.grid(True, which="major", alpha=0.3)
        figure.suptitle(title)
        figure.legend(handles.values(), handles.keys(), loc="lower center",
                      ncols=max(1, len(handles)), frameon=False)
        figure.tight_layout(rect=(0, 0.5 / (3.0 * rows + 0.8), 1, 1))

    return draw


def draw_cpu_lengths(content: dict[str, Any]) -> Draw:
    def draw(figure: "Figure") -> None:
        figure.set_size_inches(6, 4)
        axes = figure.add_subplot()
        rows = content["window"]["lengths"]
        lengths = [row["length"] for row in rows]
        seconds = [row["seconds"] for row in rows]
        axes.plot(lengths, [s * 1e3 for s in seconds], marker="o", label="measured")
        linear = [seconds[0] * 1e3 * n / lengths[0] for n in lengths]
        axes.plot(lengths, linear, linestyle=":", color="gray", label="slope 1")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set(xlabel="tokens", ylabel="ms", title="sliding window 256 + 256 on the CPU")
        axes.grid(True, alpha=0.3)
        axes.legend()
        figure.tight_layout()

    return draw


def draw_cpu_longformer(content: dict[str, Any]) -> Draw:
    def draw(figure: "Figure") -> None:
        figure.set_size_inches(6, 3)
        axes = figure.add_subplot()
        rows = {name: entry["seconds"] * 1e3 for name, entry in content["measured"].items()
                if "seconds" in entry}
        bars = axes.barh(list(rows), list(rows.values()), color="tab:blue")
        axes.bar_label(bars, fmt="%.0f ms", padding=3)
        axes.set(xlabel="ms", title=f"Longformer {content['window']} at"
                 f" {content['shape'][2]} tokens on the CPU")
        axes.invert_yaxis()
        axes.margins(x=0.15)
        figure.tight_layout()

    return draw


def plots_of(document: Document) -> dict[str, Draw]:
    """File name -> how to draw it."""
    if document.kind == "cpu_linear":
        return {f"{document.name}.png": draw_cpu_lengths(document.content)}
    if document.kind == "cpu_longformer":
        return {f"{document.name}.png": draw_cpu_longformer(document.content)}
    if document.kind != "gpu":
        return {}
    device = document.content.get("device", {}).get("name", "unknown device")
    return {f"{document.name}-{shape.slug}.png": draw_times(cases, f"{device}: {shape.title}")
            for shape, cases in by_shape(document.items("case")).items()}


def draw_all(documents: list[Document], folder: pathlib.Path) -> list[pathlib.Path]:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for document in documents:
        for name, draw in plots_of(document).items():
            figure = Figure(dpi=110)
            draw(figure)
            # Without a date and version, so that equal results give equal files.
            figure.savefig(folder / name, metadata={"Software": None})
            drawn.append(folder / name)
    return drawn


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS,
                        help="the folder of JSON files")
    parser.add_argument("--output", type=pathlib.Path, default=PLOTS, help="a folder")
    args = parser.parse_args(argv)
    try:
        drawn = draw_all(load_documents(args.results), args.output)
    except ImportError:
        print("plot.py: Matplotlib is missing; install it with"
              " `python3 -m pip install -r bench/requirements.txt`", file=sys.stderr)
        return 2
    except BenchError as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    print(*drawn, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
