# RUN: %pytest %s
"""Every example, shrunk, in every row, under eight schedules with the same bits."""

import concurrent.futures
import json
import pathlib
import subprocess

import pytest
from kernels import LONG, SCHEDULES, TOOL, WORKERS
from reduce_example import reduce_example

EXAMPLES = sorted(
    (pathlib.Path(__file__).resolve().parents[3] / "examples").glob("*.mlir")
)
LENGTH = 390 if LONG else 310  # multiples of no tile
TIMEOUT_SECONDS = 900 if LONG else 300


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reduced")

    def run(example):
        text, options = reduce_example(example.read_text(), LENGTH)
        (folder / example.name).write_text(text)
        return subprocess.run(
            [TOOL, str(folder / example.name), "--json", "--check=all", *options]
            + ["--device=emulator", f"--repeat={SCHEDULES}"],
            capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
        )

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        yield {example: pool.submit(run, example) for example in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example, reports):
    done = reports[example].result()
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"] and report["checked_rows"] > 0
    assert report["device"] == "emulator"
