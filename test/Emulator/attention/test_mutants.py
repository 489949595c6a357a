# RUN: %pytest %s
"""Of the mutants of some attention kernels at least 95% are reported, or give a wrong
result, under some of a few schedules. The others are explained here: each is a kernel
that is right as well."""

import concurrent.futures
import pathlib
import subprocess
import tempfile

import numpy as np
import pytest
from mutants import lower, mutants, trusting

# Two rows of the last tile exist: a copy that does not stop there reads past the end.
SHAPE = "1x2x130x64xf16"
OPTIONS = "tile-queries=64 warps=2"
# Masks, chips and keys of a tile: for one chip the warps of a block meet for each tile,
# for the other they run apart, and smaller tiles take each slot of a ring again.
MEETING, APART = "sm_86", "sm_80"
WINDOW = "#sparse_attn.sliding_window<left = 40, right = 7>"
KERNELS = {
    "dense": ("#sparse_attn.full", MEETING, 64),
    "window": (WINDOW, MEETING, 64),
    "window apart": (WINDOW, APART, 16),
}
SCHEDULES = 4
WORKERS = 2

NOTHING_READ_YET = "nobody has read yet what is overwritten behind it"
ELSEWHERE = "values are copied to where nothing is, beside the keys being read"
NEXT_GROUP = "the queries' copies join the next group, which is waited for as well"
ALL_LANES = "each lane of a row asks whether the result can be trusted"
VOTED = "the lanes of a warp have met at the vote by which it leaves the tile out"
FIRST_TILE = "40 keys back from the last queries is not the last tile of keys"
EXPLAINED = {
    ("dense", "no barrier 0"): NOTHING_READ_YET,
    ("dense", "no barrier 2"): ELSEWHERE,
    ("dense", "no commit 0"): NEXT_GROUP,
    ("dense", "no shuffle 35"): ALL_LANES,
    ("window", "no barrier 0"): NOTHING_READ_YET,
    ("window", "no commit 0"): NEXT_GROUP,
    ("window", "no shuffle 14"): ALL_LANES,
    ("window", "copy past the end 10"): FIRST_TILE,
    ("window", "copy past the end 15"): FIRST_TILE,
    ("window", "copy past the end 20"): FIRST_TILE,
    ("window apart", "no shuffle 14"): ALL_LANES,
    ("window apart", "no shuffle 21"): ALL_LANES,
    ("window apart", "no meeting of readers 1"): VOTED,
    ("window apart", "copy past the end 10"): FIRST_TILE,
}
GOAL = 0.95


def run(text):
    """What the emulator reports, and the result if it reports nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "kernel.mlir").write_text(text)
        output = folder / "output.npy"
        done = subprocess.run(
            ["sparse-attn-run", folder / "kernel.mlir", "--entry=run", "--seed=1"]
            + ["--device=emulator", f"--repeat={SCHEDULES}", f"--output={output}"],
            capture_output=True, text=True,
        )
        if done.returncode:
            assert done.returncode == 1, done.stderr
            return done.stderr, None
        return "", np.load(output)


@pytest.fixture(scope="module", params=KERNELS)
def outcome(request):
    """The kernel's name, and of each mutant its name, report and rightness."""
    mask, chip, keys = KERNELS[request.param]
    lowered = lower(mask, SHAPE, f"{OPTIONS} chip={chip} tile-keys={keys}")
    text = trusting(lowered)
    assert text != lowered
    (report, right), (_, alone) = run(lowered), run(text)
    assert not report, report
    assert np.array_equal(right, alone)
    tried = list(mutants(text))
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(lambda mutant: run(mutant.text), tried))
    return request.param, [
        (mutant.name, report, not report and np.array_equal(result, right))
        for mutant, (report, result) in zip(tried, results)
    ]


def test_broken_kernels_are_caught(outcome):
    kernel, results = outcome
    counted = [result for result in results if (kernel, result[0]) not in EXPLAINED]
    survivors = [name for name, _, is_right in counted if is_right]
    assert len(counted) >= 20
    assert len(survivors) <= (1 - GOAL) * len(counted), survivors


def test_reports_are_the_emulators_own(outcome):
    """Not those of a mutant that does not compile."""
    _, results = outcome
    for name, report, _ in results:
        if report:
            assert "schedule seed" in report, f"{name}: {report}"


def test_every_kind_is_there(outcome):
    kernel, results = outcome
    kinds = {name.rpartition(" ")[0] for name, *_ in results}
    assert kinds >= {"no barrier", "no copy", "copy past the end", "no swizzle", "no shuffle"}
    if KERNELS[kernel][1] == MEETING:
        assert kinds >= {"no wait", "weaker wait", "no commit", "wait behind barrier"}
    else:
        assert kinds >= {
            "no mbarrier", "no wait at mbarrier", "other phase", "no arrival of copies",
            "no arrival of readers", "no meeting of readers",
        }
