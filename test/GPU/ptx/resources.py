"""What each example's kernels need of each chip, as ptxas says, and how many
instructions their loops over key tiles have, as nvdisasm shows.

    python test/GPU/ptx/resources.py --write

makes resources.json anew; sparse-attn-opt, ptxas and nvdisasm must be in PATH. The
test beside it compares. Examples in f32 are there in bf16 as well. Kernels are those of
packages, which take rows at any strides.
"""

import concurrent.futures
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import sass
from ptx import compile_kernels

FOLDER = pathlib.Path(__file__).resolve().parent
EXAMPLES = sorted((FOLDER.parents[2] / "examples").glob("*.mlir"))
TABLE = FOLDER / "resources.json"
CHIPS = ("sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")

# Examples that are compiled for every chip: of most shared memory, of three kernels, of
# 16-bit values. Chips for which all of them get the same PTX get that of one chip for the
# other examples too, under the name of each.
PROBES = ("chunked", "longformer", "causal")

HEADER = re.compile(r"^\.version \S+\n\.target \w+\n", re.M)
COMPILING = re.compile(r"Compiling entry function '(\w+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill")
USED = re.compile(r"Used (\d+) registers(?:, used (\d+) barriers)?(?:.*?(\d+) bytes smem)?")
THREADS = re.compile(r"\.entry (\w+)\((?:.*?)\.maxntid (\d+)", re.DOTALL)


def variants():
    """(name, text) of each example as it is, and in bf16 where it is in f32."""
    for path in EXAMPLES:
        text = path.read_text()
        yield path.stem, text
        half = re.sub(r"(tensor<(?:[0-9?]+x){4})f32>", r"\1bf16>", text)
        if half != text:
            yield f"{path.stem}-bf16", half


def assemble(ptx, chip):
    """ptxas's report, and the loops of each kernel by name."""
    with tempfile.TemporaryDirectory() as folder:
        source, cubin = (pathlib.Path(folder) / name for name in ("k.ptx", "k.cubin"))
        source.write_text(ptx)
        done = subprocess.run(
            ["ptxas", f"-arch={chip}", "-v", "-warn-spills", source, "-o", cubin],
            capture_output=True, text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr, {name: sass.loops(lines) for name, lines in sass.kernels(cubin)}


def compile_variant(text, chip):
    (kernels,) = compile_kernels(text, chip=chip, strides="any")
    return kernels


def compile_all(texts, pool):
    """The kernels of each variant for each chip."""
    jobs = [(name, chip) for name in PROBES for chip in CHIPS]
    made = dict(zip(jobs, pool.map(lambda job: compile_variant(texts[job[0]], job[1]), jobs)))
    headers = {chip: HEADER.search(made[PROBES[0], chip].ptx)[0] for chip in CHIPS}

    def under(kernels, chip):
        return dataclasses.replace(kernels, ptx=HEADER.sub(headers[chip], kernels.ptx))

    def alike(chip, other):
        return all(made[name, chip] == under(made[name, other], chip) for name in PROBES)

    first = {chip: next(other for other in CHIPS if alike(chip, other)) for chip in CHIPS}
    jobs = [(name, chip) for name in texts for chip in dict.fromkeys(first.values())
            if name not in PROBES]
    made |= zip(jobs, pool.map(lambda job: compile_variant(texts[job[0]], job[1]), jobs))
    return {(name, chip): made.get((name, chip)) or under(made[name, first[chip]], chip)
            for name in texts for chip in CHIPS}


def needs_of(kernels, chip):
    """For each kernel, by name: the figures."""
    threads = dict(THREADS.findall(kernels.ptx))
    needs, name = {}, None
    report, loops = assemble(kernels.ptx, chip)
    warnings = [line for line in report.splitlines() if "warning" in line.lower()]
    for line in report.splitlines():
        if found := COMPILING.search(line):
            name = found[1]
            needs[name] = {
                "threads": int(threads[name]),
                "dynamic_shared": kernels.dynamic_shared[name],
            }
        elif found := STACK.search(line):
            keys = ("stack", "spill_stores", "spill_loads")
            needs[name] |= dict(zip(keys, map(int, found.groups())))
        elif found := USED.search(line):
            keys = ("registers", "barriers", "static_shared")
            needs[name] |= {key: int(n or 0) for key, n in zip(keys, found.groups())}
    for name, kernel in needs.items():
        kernel["warnings"] = sum(f"'{name}'" in line for line in warnings)
        kernel["loops"] = loops[name]
    return needs


def full_tile_spills(kernel):
    """Loads and stores of local memory in its loops over full tiles, where no mask takes
    scores out."""
    return sum(spills for _, _, spills, selects in kernel["loops"] if selects == 0)


def ptxas_version():
    done = subprocess.run(["ptxas", "--version"], capture_output=True, text=True)
    return re.search(r"V([\d.]+)", done.stdout)[1]


def make_table():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        kernels = compile_all(dict(variants()), pool)
        needs = pool.map(lambda job: needs_of(kernels[job], job[1]), kernels)
        table = {f"{name} {chip}": found for (name, chip), found in zip(kernels, needs)}
    return {"ptxas": ptxas_version(), "needs": table}


def dump(table):
    """JSON with a line for each kernel, so that changes are seen as lines."""
    lines = [
        f'  {json.dumps(key)}: {{\n'
        + ",\n".join(f"   {json.dumps(k)}: {json.dumps(v)}" for k, v in kernels.items())
        + "\n  }"
        for key, kernels in table["needs"].items()
    ]
    version = json.dumps(table["ptxas"])
    return f'{{\n "ptxas": {version},\n "needs": {{\n' + ",\n".join(lines) + "\n }\n}\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    TABLE.write_text(dump(make_table()))
