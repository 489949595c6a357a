"""Results as report.py and plot.py read them: files of bench/results, flattened."""

import dataclasses
import json
import pathlib
from collections.abc import Iterable
from typing import Any

from packages import BenchError
from patterns import PATTERNS

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"


@dataclasses.dataclass(frozen=True)
class Document:
    """One file of results."""

    name: str  # of the file, without .json
    content: dict[str, Any]

    @property
    def kind(self) -> str:
        """"gpu", "gpu_variants", or a CPU benchmark's name."""
        return self.content.get("kind", self.name)

    def items(self, kind: str) -> list[dict[str, Any]]:
        """The results of one kind that are results: no items that ended in an error."""
        return [item for item in self.content.get("items", {}).values()
                if item.get("kind") == kind]

    def failures(self) -> dict[str, str]:
        return {key: item.get("error") or f"left out, {item['left_out']}"
                for key, item in self.content.get("items", {}).items()
                if "error" in item or "left_out" in item}


def load_documents(folder: pathlib.Path) -> list[Document]:
    documents = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text())
        except ValueError as error:
            raise BenchError(f"{path} is no JSON: {error}") from None
        documents.append(Document(path.stem, content))
    return documents


@dataclasses.dataclass(frozen=True)
class Shape:
    """Cases of one shape but for the length, which a table or plot has together."""

    dtype: str
    head_size: int
    heads: int
    key_heads: int

    @property
    def title(self) -> str:
        grouped = f" over {self.key_heads} of keys" if self.key_heads != self.heads else ""
        return f"{self.dtype}, D = {self.head_size}, {self.heads} heads{grouped}"

    @property
    def slug(self) -> str:
        return f"{self.dtype}-d{self.head_size}-h{self.heads}-kv{self.key_heads}"


def shape_of(case: dict[str, Any]) -> Shape:
    return Shape(case["dtype"], case["head_size"], case["heads"], case["key_heads"])


def by_shape(cases: list[dict[str, Any]]) -> dict[Shape, list[dict[str, Any]]]:
    """Cases in order of pattern, as patterns.py has them, and length."""
    groups: dict[Shape, list[dict[str, Any]]] = {}
    for case in cases:
        groups.setdefault(shape_of(case), []).append(case)
    order = list(dict.fromkeys([*PATTERNS, *(case["pattern"] for case in cases)]))
    for group in groups.values():
        group.sort(key=lambda case: (order.index(case["pattern"]), case["n"]))
    return dict(sorted(groups.items(), key=lambda entry: dataclasses.astuple(entry[0])))


# Which contestants a column stands for; the fastest of them is shown.
DENSE = ("sdpa_cudnn", "sdpa_flash", "sdpa_efficient", "sdpa_math")
CAUSAL = tuple(f"{name}_causal" for name in DENSE)
LAYERS = ("hf_longformer", "hf_bigbird")
COLUMNS = {"dense": DENSE, "causal": CAUSAL, "flex": ("flex",), "layer": LAYERS}


def fastest(case: dict[str, Any], names: Iterable[str]) -> tuple[str, dict[str, Any]] | None:
    """Of these contestants the one with the least time, and its result."""
    timed = [(name, case["contestants"][name]) for name in names
             if "seconds" in case["contestants"].get(name, {})]
    return min(timed, key=lambda entry: entry[1]["seconds"], default=None)
