"""Reads a package as docs/Package.md describes it."""

import hashlib
import json
import pathlib
import re


def load(directory):
    """The manifest, after checking the files that it names."""
    directory = pathlib.Path(directory)
    manifest = json.loads((directory / "manifest.json").read_text())
    assert manifest["schema_version"] == 3
    for program in manifest["programs"]:
        for file in program["files"]:
            contents = (directory / file["name"]).read_bytes()
            assert len(contents) == file["size"], file
            assert hashlib.sha256(contents).hexdigest() == file["sha256"], file
    return manifest


_FUNCTIONS = {
    "floordiv": lambda a, b: a // b if b >= 1 else None,
    "min": min,
    "max": max,
    "lt": lambda a, b: int(a < b),
    "eq": lambda a, b: int(a == b),
    "select": lambda c, a, b: a if c != 0 else b,
}


def evaluate(formula, sizes):
    """The value of a formula. Its grammar is a part of Python's."""
    if isinstance(formula, int):
        return formula
    assert re.fullmatch(r"[\w\s+*(),-]*", formula), formula
    value = eval(formula, {"__builtins__": {}}, {**_FUNCTIONS, **sizes})
    assert -(2**63) <= value < 2**63, formula
    return value


def launches(program):
    """Of all variants, in their order."""
    return [launch for variant in program["variants"] for launch in variant["launches"]]


def choose(program, sizes):
    """The variant that is launched for these sizes."""
    return next(v for v in program["variants"] if evaluate(v["when"], sizes))


def formulas(program):
    """Every formula of a program."""
    for condition in program["conditions"]:
        yield condition["formula"]
    for buffer in program["arguments"] + program["results"]:
        yield from buffer["shape"]
        yield buffer["bytes"]
    for variant in program["variants"]:
        yield variant["when"]
        yield variant["workspace"]["bytes"]
        for buffer in variant["workspace"]["buffers"]:
            yield from [buffer["offset"], buffer["bytes"], *buffer["shape"]]
    for launch in launches(program):
        yield from launch["grid"]
        yield from launch["block"]
        yield launch["shared_bytes"]
        for argument in launch["arguments"]:
            for width in ("i32", "i64"):
                if width in argument:
                    yield argument[width]


def some_sizes(program):
    """Sizes that fit together, small and large, and 0; and devices, where it depends on
    them."""
    asks_device = any("sm_count" in str(formula) for formula in formulas(program))
    for batch, heads, group, queries, keys, multiprocessors in [
        (1, 1, 1, 1, 1, 132),
        (2, 3, 2, 128, 128, 1),
        (1, 8, 4, 1, 70001, 132),
        (1, 8, 20, 2, 5000, 108),
        (1, 4, 2, 9, 3000, 64),
        (3, 2, 1, 1000, 77, 132),
        (1, 12, 1, 1 << 20, 1 << 20, 132),
        (1, 2, 1, 192, 192, 148),
        (1, 2, 1, 64, 192, 16),
        (0, 2, 2, 64, 64, 132),
        (1, 2, 2, 0, 64, 132),
    ]:
        known = {
            "B": batch,
            "Hq": heads * group,
            "Hkv": heads,
            "Sq": queries,
            "Sk": keys,
        }
        sizes = {size["name"]: known[size["name"]] for size in program["sizes"]}
        if asks_device:
            sizes["sm_count"] = multiprocessors
        yield sizes
        if not sizes:
            return
