#!/usr/bin/env python3
"""Writes docs/Performance.md from the files in bench/results.

    python3 bench/gpu/plot.py && python3 bench/gpu/report.py

--check compares instead, for the tests: nothing on that page is written by hand.
"""

import argparse
import os
import pathlib
import sys

import cpu_report
import gpu_report
import prediction_report
from documents import RESULTS, ROOT, Document, load_documents
from packages import BenchError
from plot import PLOTS, plots_of

PAGE = ROOT / "docs" / "Performance.md"
INTRODUCTION = """\
# Performance

This page is generated from the files in `bench/results` and shows nothing else; do not
edit it. Its command is `python3 bench/gpu/plot.py && python3 bench/gpu/report.py`.

*Useful* operations are those on pairs that the mask allows, 4·D a pair. Times are
medians, and all times of a table row come from one interleaved run.
"""


def plots_text(document: Document, folder: str) -> str:
    """Links to the plots of a document."""
    return "\n\n".join(f"![{name.removesuffix('.png')}]({folder}/{name})"
                       for name in plots_of(document))


def render(documents: list[Document], plot_folder: str) -> str:
    measured = [document for document in documents if document.kind == "gpu"]
    sweeps = [document for document in documents if document.kind == "gpu_variants"]
    predicted = [document for document in documents if document.kind == "gpu_predicted"]
    parts = [INTRODUCTION, "## On a GPU\n"]
    if not measured:
        parts.append(gpu_report.NOTHING_YET)
    for document in measured:
        parts += [gpu_report.render(document), plots_text(document, plot_folder)]
    if sweeps:
        parts.append("## Tiles\n")
        parts += [gpu_report.render_variants(document) for document in sweeps]
    if predicted:
        parts.append("## Predicted for GPUs\n")
        parts += [prediction_report.render(document, measured) for document in predicted]
    parts.append("## On a CPU\n")
    for kind, section in cpu_report.SECTIONS.items():
        for document in documents:
            if document.kind == kind:
                parts += [section(document.content), plots_text(document, plot_folder)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--output", type=pathlib.Path, default=PAGE)
    parser.add_argument("--plots", type=pathlib.Path, default=PLOTS,
                        help="where plot.py has left its files")
    parser.add_argument("--check", action="store_true",
                        help="write nothing; fail where the page or a plot is missing or old")
    args = parser.parse_args(argv)
    try:
        documents = load_documents(args.results)
    except BenchError as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    text = render(documents, os.path.relpath(args.plots, args.output.parent))
    if not args.check:
        args.output.write_text(text)
        print(args.output)
        return 0
    wrong = [name for document in documents for name in plots_of(document)
             if not (args.plots / name).exists()]
    if not args.output.exists() or args.output.read_text() != text:
        wrong.append(str(args.output))
    if wrong:
        print(f"report.py: not up to date with {args.results}: {', '.join(wrong)}; run"
              " `python3 bench/gpu/plot.py && python3 bench/gpu/report.py`", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
