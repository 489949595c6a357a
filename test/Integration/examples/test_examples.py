# RUN: %pytest %s
"""Every example: shrunk, all rows checked; and the command in its own comment."""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest
from reduce_example import LENGTH, SHAPE, TENSOR, reduce_example

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.mlir"))
TOOL = os.environ.get("SPARSE_ATTN_RUN", "sparse-attn-run")
TIMEOUT_SECONDS = 60
WORKERS = 2
# Longer than five seconds at full size.
SLOW = {"chunked", "mistral", "sparse_transformer_fixed", "streaming_llm"}


def check(file, options):
    """The report of a checked run, which must pass."""
    done = subprocess.run(
        [TOOL, str(file), "--json", *options],
        capture_output=True, text=True, timeout=TIMEOUT_SECONDS, cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"]
    return report


def commands(text):
    """The options of each sparse-attn-run command in an example's comment."""
    found = re.findall(r"^// +sparse-attn-run (.*)$", text, re.MULTILINE)
    return [shlex.split(line) for line in found]


@pytest.fixture(scope="session")
def reduced(tmp_path_factory):
    """A checked run of each example, shrunk, under way beside the tests."""
    folder = tmp_path_factory.mktemp("reduced")

    def run(example):
        text, options = reduce_example(example.read_text())
        (folder / example.name).write_text(text)
        report = check(folder / example.name, ["--check=all", *options])
        return report, text, options

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        yield {example: pool.submit(run, example) for example in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_reduced_passes_in_every_row(example, reduced):
    report, text, options = reduced[example].result()
    lengths = [match[1].split("x")[:3] for match in TENSOR.finditer(text)]
    batch, heads, queries = lengths[0]
    queries = dict(SHAPE.findall(" ".join(options))).get("Sq", queries)
    assert report["checked_rows"] == int(batch) * int(heads) * int(queries)
    assert str(LENGTH) in text + " ".join(options)


@pytest.mark.parametrize("queries", [1, 100, LENGTH])
def test_decode_serves_prompt_and_tokens(queries, tmp_path):
    text, _ = reduce_example((ROOT / "examples" / "decode.mlir").read_text())
    (tmp_path / "decode.mlir").write_text(text)
    shape = [f"--shape=Sq={queries}", f"--shape=Sk={LENGTH}"]
    report = check(tmp_path / "decode.mlir", ["--check=all", *shape])
    assert report["checked_rows"] % queries == 0


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_its_own_command_checks_it(example):
    (command,) = commands(example.read_text())
    assert command[0] == f"examples/{example.name}" and "--check" in command


@pytest.mark.parametrize(
    "example", [path for path in EXAMPLES if path.stem not in SLOW],
    ids=lambda path: path.stem,
)
def test_its_own_command_passes(example):
    (command,) = commands(example.read_text())
    check(*command[:1], command[1:])


def test_there_are_examples():
    assert len(EXAMPLES) >= 13
