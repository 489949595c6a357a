"""Each dump of each pass, read back by sparse-attn-opt, prints as the dump itself."""

import pathlib
import re
import subprocess
import tempfile

import pytest

PROGRAMS = sorted((pathlib.Path(__file__).parent / "Inputs").glob("*.mlir"))
# Small tiles and registers, for short dumps.
CPU = "--sparse-attn-cpu-pipeline=tile-queries=8 tile-keys=8 lanes=8 registers=16"
NVVM = "--sparse-attn-nvvm-pipeline=tile-queries=16 tile-keys=16"
PIPELINES = {
    "cpu": [CPU],
    "cpu-sequential": [f"{CPU} openmp=false"],
    "cpu-package": [
        f"{CPU} openmp=false any-strides=true results-to-arguments=true"
    ],
    "cpu-dense": ["--sparse-attn-cpu-pipeline=dense=true"],
    "nvvm": [f"{NVVM} chip=sm_90"],
    "nvvm-strides": [f"{NVVM} strides=any"],
    "emulator": ["--sparse-attn-emulator-pipeline=export-kernels=true"],
    "dense": ["--sparse-attn-to-dense-linalg", "--canonicalize"],
    "plan": ["--sparse-attn-plan", "--canonicalize"],
}
# Pipelines that begin with what another has made.
BEFORE = {"emulator": f"{NVVM} emit=nvvm"}
LOCATIONS = ["--mlir-print-debuginfo"]
# Threads off: only then the whole module may be printed after a pass on a part.
DUMP = [
    "--mlir-print-ir-after-all", "--mlir-print-ir-module-scope",
    "--mlir-disable-threading",
]
HEADER = re.compile(r"^// -----// (IR Dump After .*) //----- //\n")
SEPARATOR = "// -----\n"


def run(arguments, text=None):
    return subprocess.run(
        ["sparse-attn-opt", *arguments], input=text,
        capture_output=True, text=True, timeout=300,
    )


def dump(program, options):
    """What was printed, each text once, and after which pass.

    To files: the tool writes standard error a few bytes a call, which takes longer than
    all its passes.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = f"--mlir-print-ir-tree-dir={folder}"
        done = run([str(program), *options, *DUMP, tree, "-o", "/dev/null"])
        assert done.returncode == 0, done.stderr[-2000:]
        passes = {}
        for path in sorted(pathlib.Path(folder).rglob("*.mlir")):
            before, title, text = HEADER.split(path.read_text())
            assert not before
            passes.setdefault(text.strip(), title)
    return passes


def check(program, options, flags=()):
    passes = dump(program, [*options, *flags])
    assert passes
    # All at once: most of the time goes into starting the tool.
    read = run(
        ["-", "--split-input-file", *flags], ("\n" + SEPARATOR).join(passes) + "\n"
    )
    if read.returncode == 0:
        texts = [text.strip() for text in read.stdout.split(SEPARATOR)]
        for text, again in zip(passes, texts, strict=True):
            assert text == again, passes[text]
        return
    for text, title in passes.items():
        alone = run(["-", *flags], text)
        assert alone.returncode == 0, f"{title}: {alone.stderr[:1000]}"
    pytest.fail(f"only together: {read.stderr[:1000]}")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("name", PIPELINES)
def test_dumps_are_read_back(name, program, tmp_path):
    if name in BEFORE:
        made = run([str(program), BEFORE[name]])
        program = tmp_path / program.name
        program.write_text(made.stdout)
    check(program, PIPELINES[name])


@pytest.mark.parametrize("name", ["cpu", "nvvm-strides"])
def test_dumps_with_locations_are_read_back(name):
    check(PROGRAMS[0], PIPELINES[name], LOCATIONS)
