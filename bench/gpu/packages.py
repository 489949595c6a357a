"""What build.py leaves and run.py finds: a directory of packages and an index.

    DIR/index.json       what is here, and from what it was made
    DIR/kernels.mlir     all functions, sizes but the head's known at run time only
    DIR/package/         sparse-attn-compile's output of it
    DIR/variants/NAME/   the same for one function each, with other tiles
    DIR/lib/             the run-time library, and the Python package in front of it
"""

import dataclasses
import hashlib
import json
import pathlib
from typing import Any

from patterns import PATTERNS, SMALL_PATTERNS, Pattern

INDEX_SCHEMA = 1


class BenchError(Exception):
    """What a user of the benchmark has to know; printed without a traceback."""


@dataclasses.dataclass(frozen=True)
class Function:
    """One function of a package."""

    pattern: Pattern
    dtype: str
    head_size: int

    @property
    def name(self) -> str:
        return f"{self.pattern.name}_{self.dtype}_d{self.head_size}"

    def text(self) -> str:
        """As MLIR: batches, heads and length are what the arguments have."""
        tensor = f"tensor<?x?x?x{self.head_size}x{self.dtype}>"
        sizes = "\n".join(
            f"  %c{dim} = arith.constant {dim} : index\n"
            f"  %n{dim} = tensor.dim %q, %c{dim} : {tensor}"
            for dim in range(3)
        )
        return f"""\
func.func @{self.name}(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
{sizes}
  %init = tensor.empty(%n0, %n1, %n2) : {tensor}
  %o = sparse_attn.attention mask({self.pattern.mask})
      ins(%q, %k, %v : {tensor}, {tensor}, {tensor})
      outs(%init : {tensor}) -> {tensor}
  return %o : {tensor}
}}
"""


@dataclasses.dataclass(frozen=True)
class Variant:
    """Options of sparse-attn-compile for one function; 0 is the compiler's choice."""

    function: Function
    tile_queries: int = 0
    tile_keys: int = 0
    stages: int = 2
    warps: int = 0
    heavy_splits: int = 64

    @property
    def name(self) -> str:
        return (
            f"{self.function.name}_q{self.tile_queries}_k{self.tile_keys}"
            f"_s{self.stages}_w{self.warps}_h{self.heavy_splits}"
        )

    def options(self) -> list[str]:
        return [
            f"--tile-queries={self.tile_queries}",
            f"--tile-keys={self.tile_keys}",
            f"--stages={self.stages}",
            f"--warps={self.warps}",
            f"--heavy-splits={self.heavy_splits}",
        ]


@dataclasses.dataclass(frozen=True)
class BuiltVariant:
    """A variant, and what became of it."""

    variant: Variant
    error: str | None = None
    resources: str | None = None  # ptxas' words: registers, spills


@dataclasses.dataclass(frozen=True)
class Build:
    """A directory that build.py has filled."""

    directory: pathlib.Path
    functions: dict[str, Function]
    variants: dict[str, BuiltVariant]
    record: dict[str, Any]  # of the index: targets, compiler, digests

    @property
    def package(self) -> pathlib.Path:
        return self.directory / "package"

    @property
    def module(self) -> pathlib.Path:
        return self.directory / "kernels.mlir"

    def variant_package(self, name: str) -> pathlib.Path:
        return self.directory / "variants" / name


def _pattern_named(name: str, small: bool) -> Pattern:
    try:
        return (SMALL_PATTERNS if small else PATTERNS)[name]
    except KeyError:
        raise BenchError(f"the index names a pattern '{name}' that is not in patterns.py;"
                         " run build.py again") from None


def digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_index(build: Build, small: bool) -> None:
    def entry(function: Function) -> dict[str, Any]:
        return {
            "pattern": function.pattern.name,
            "mask": function.pattern.mask,
            "dtype": function.dtype,
            "head_size": function.head_size,
        }

    def variant_entry(built: BuiltVariant) -> dict[str, Any]:
        return {
            **dataclasses.asdict(built.variant),
            "function": entry(built.variant.function),
            "error": built.error,
            "resources": built.resources,
        }

    index = {
        "schema": INDEX_SCHEMA,
        "small": small,
        **build.record,
        "functions": [entry(function) for function in build.functions.values()],
        "variants": [variant_entry(built) for built in build.variants.values()],
    }
    (build.directory / "index.json").write_text(json.dumps(index, indent=2) + "\n")


def read_index(directory: pathlib.Path) -> Build:
    path = directory / "index.json"
    try:
        index = json.loads(path.read_text())
    except FileNotFoundError:
        raise BenchError(f"{path} is missing; make it with"
                         f" `python3 bench/gpu/build.py -o {directory}`") from None
    except (OSError, ValueError) as error:
        raise BenchError(f"{path} cannot be read: {error}") from None
    if index.get("schema") != INDEX_SCHEMA:
        raise BenchError(f"{path} has schema {index.get('schema')}, expected"
                         f" {INDEX_SCHEMA}; run build.py again")

    def function_of(entry: dict[str, Any]) -> Function:
        pattern = _pattern_named(entry["pattern"], index["small"])
        if pattern.mask != entry["mask"]:
            raise BenchError(f"{path} was made for '{entry['mask']}', patterns.py now has"
                             f" '{pattern.mask}'; run build.py again")
        return Function(pattern, entry["dtype"], entry["head_size"])

    variants = {}
    for entry in index.pop("variants"):
        outcome = {name: entry.pop(name) for name in ("error", "resources")}
        variant = Variant(**{**entry, "function": function_of(entry["function"])})
        variants[variant.name] = BuiltVariant(variant, **outcome)
    functions = [function_of(entry) for entry in index.pop("functions")]
    return Build(directory, {f.name: f for f in functions}, variants, index)
