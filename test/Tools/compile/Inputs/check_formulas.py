"""Compares the formulas of a manifest, as Python evaluates them, with the C
header's and with those of a small C program that parses their text."""

import pathlib
import subprocess
import sys

import manifest

directory, scratch = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
inputs = pathlib.Path(__file__).parent
CC = ["clang-22", "-std=c11", "-Wall", "-Wextra", "-Werror"]


def addresses(program):
    """Made-up addresses of a program's buffers."""
    return {
        "argument": [0x10000 + i for i in range(len(program["arguments"]))],
        "result": [0x20000 + i for i in range(len(program["results"]))],
        "workspace": 0x30000,
    }


def stride(what):
    """A made-up stride, other for each dimension of each tensor."""
    (kind,) = what.keys() - {"dim"}
    return (1 << 40) * (1 + (kind == "result")) + 16 * what[kind] + what["dim"]


def strides(program):
    """The header's fields for them."""
    for kind in ("argument", "result"):
        tensors = program[kind + "s"]
        rank = max((len(t["shape"]) for t in tensors if t["layout"] == "strided"), default=0)
        rows = [
            "{%s}" % ", ".join(str(stride({kind: i, "dim": dim})) for dim in range(rank))
            for i in range(len(tensors))
        ]
        if rank > 0:
            yield ", .%s_strides = {%s}" % (kind, ", ".join(rows))


def expected(program, sizes):
    """What the C program of `driver` prints."""

    def value(formula):
        return manifest.evaluate(formula, sizes)

    chosen = manifest.choose(program, sizes)
    lines = [
        int(all(value(c["formula"]) for c in program["conditions"])),
        value(chosen["workspace"]["bytes"]),
        *(value(result["bytes"]) for result in program["results"]),
    ]
    places = addresses(program)
    for variant in program["variants"]:
        workspace = [value(b["offset"]) for b in variant["workspace"]["buffers"]]
        for launch in variant["launches"]:
            lines.append(launch["kernel"])
            grid = [value(f) for f in launch["grid"]]
            # The header leaves launches of other variants out by an empty grid.
            lines += grid if variant is chosen else [0, *grid[1:]]
            lines += [value(f) for f in launch["block"]]
            lines.append(value(launch["shared_bytes"]))
            for argument in launch["arguments"]:
                ((kind, what),) = argument.items()
                if kind == "stride":
                    lines.append(stride(what))
                elif kind == "workspace":
                    lines.append(places["workspace"] + workspace[what])
                elif kind in places:
                    lines.append(places[kind][what])
                else:
                    lines.append(value(what))
    return [str(line) for line in lines]


def driver(header, prefix, program, cases):
    """A C program that prints all that the header says, for each case."""
    places = addresses(program)
    text = [f'#include "{header}"', "#include <stdio.h>"]
    text += ["static void print(const PREFIX_sizes *n) {"]
    text += ["  PREFIX_buffers b = {{%s}, {%s}, %d%s};" % (
        ", ".join(map(str, places["argument"])),
        ", ".join(map(str, places["result"])),
        places["workspace"],
        "".join(strides(program)),
    )]
    show = '  printf("%%lld\\n", (long long)%s);'
    text.append(show % "(PREFIX_sizes_fit(n) != 0)")
    text.append(show % "PREFIX_workspace_bytes(n)")
    for i in range(len(program["results"])):
        text.append(show % f"PREFIX_result_bytes_{i}(n)")
    text += ["  PREFIX_launch l;"]
    for i, launch in enumerate(manifest.launches(program)):
        text.append(f"  PREFIX_get_launch({i}, n, &b, &l);")
        text.append(f"  puts(PREFIX_kernel({i}));")
        text += [show % f"l.grid[{axis}]" for axis in range(3)]
        text += [show % f"l.block[{axis}]" for axis in range(3)]
        text.append(show % "l.shared_bytes")
        for j, argument in enumerate(launch["arguments"]):
            width = 32 if "i32" in argument else 64
            text.append(show % f"*(int{width}_t *)l.parameters[{j}]")
    text += ["}", "int main(void) {"]
    for sizes in cases:
        fields = ", ".join(f".{name} = {size}" for name, size in sizes.items())
        text.append("  print(&(PREFIX_sizes){%s});" % (fields or "0"))
    text += ["  return PREFIX_NUM_LAUNCHES != %d;" % len(manifest.launches(program)), "}"]
    return "\n".join(text).replace("PREFIX", prefix) + "\n"


def run(source, *options, stdin=None):
    program = scratch / "program"
    subprocess.run([*CC, *options, "-o", program, source], check=True)
    return subprocess.run(
        [program], check=True, input=stdin, capture_output=True, text=True
    ).stdout.splitlines()


count = 0
headers = []
for program in manifest.load(directory)["programs"]:
    header = next(f["name"] for f in program["files"] if f["kind"] == "header")
    guard = (directory / header).read_text().split("#ifndef ")[1].split()[0]
    headers.append(header)
    prefix = guard.removeprefix("SPARSE_ATTN_PACKAGE_")
    cases = list(manifest.some_sizes(program))

    source = scratch / "driver.c"
    source.write_text(driver(header, prefix, program, cases))
    want = [line for sizes in cases for line in expected(program, sizes)]
    got = run(source, f"-I{directory}")
    assert got == want, f"{program['name']}: {got} instead of {want}"

    lines, want = [], []
    for sizes in cases:
        bindings = " ".join(f"{name}={size}" for name, size in sizes.items())
        for formula in manifest.formulas(program):
            lines.append(f"{formula};{bindings}\n")
            want.append(str(manifest.evaluate(formula, sizes)))
    got = run(inputs / "evaluate.c", stdin="".join(lines))
    assert got == want
    count += len(want)
assert count > 0

# All headers of a package together, as C++ as well.
source = scratch / "all.cpp"
source.write_text("".join(f'#include "{header}"\n' for header in headers))
subprocess.run(
    ["clang++-22", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    + [f"-I{directory}", source],
    check=True,
)
print("all formulas agree")
