# RUN: %pytest %s
"""Every example on every chip: no spill but for those that are listed, no warning, and no
figure worse than resources.json says. `python test/GPU/ptx/resources.py --write` makes
that anew."""

import json

import pytest
from resources import CHIPS, TABLE, full_tile_spills, make_table

# Registers are given out eight a thread at a time, and what ptxas needs varies by a
# few with the order of instructions: one step more is no news, unless fewer blocks
# fit a multiprocessor.
REGISTER_STEP = 8
REGISTERS = 65536  # of a multiprocessor
# So do the instructions of a loop, with the order that ptxas finds.
LOOP_STEP = 1.01
# Bytes of shared memory of a multiprocessor; each block takes 1 KiB more than it asks
# for (CUDA C++ Programming Guide, technical specifications by compute capability).
SHARED = dict(zip(CHIPS, (164 << 10, 100 << 10, 100 << 10, 228 << 10, 228 << 10, 100 << 10)))

# Bytes. Where warps take 32 rows beyond heads of 64, up to 32 bytes of stack: all registers but a
# few hold accumulators. What spills is read in the fallback path and behind it, in several
# places, which is why more is read than stored, and in mistral twice in a loop over partial
# tiles.
SPILLS = {
    ("chunked sm_80", "chunked_0"): 64,
    ("chunked sm_90", "chunked_0"): 16,
    ("decode sm_80", "decode_1"): 8,
    ("mistral sm_80", "mistral_0"): 64,
}
# Branches around tiles that a warp leaves out hold the state on both ways.
SPILLS |= {
    ("longformer-bf16 sm_80", "longformer_0"): 48,
    ("longformer-bf16 sm_90", "longformer_0"): 24,
    ("prefix_lm sm_90", "prefix_lm_0"): 8,
}


def round_up(number, step):
    return -(-number // step) * step


def blocks(kernel, chip):
    """How many fit a multiprocessor, by registers and shared memory."""
    registers = round_up(kernel["registers"], REGISTER_STEP) * kernel["threads"]
    shared = kernel["dynamic_shared"] + kernel["static_shared"] + 1024
    return min(REGISTERS // registers, SHARED[chip] // shared, 32)


@pytest.fixture(scope="module")
def made():
    return make_table()


COMMITTED = json.loads(TABLE.read_text())


def test_the_table_is_of_these_examples(made):
    assert made["needs"].keys() == COMMITTED["needs"].keys()
    for job, kernels in COMMITTED["needs"].items():
        assert made["needs"][job].keys() == kernels.keys(), job


def test_nothing_spills(made):
    for job, kernels in made["needs"].items():
        for name, kernel in kernels.items():
            spills = [kernel[k] for k in ("spill_stores", "spill_loads", "stack")]
            allowed = SPILLS.get((job, name), 0)
            assert max(spills) <= allowed, (job, name, spills)
            # ptxas warns of a spill.
            assert kernel["warnings"] <= (1 if allowed else 0), (job, name)


def test_no_loop_over_full_tiles_spills(made):
    for job, kernels in made["needs"].items():
        for name, kernel in kernels.items():
            assert full_tile_spills(kernel) == 0, (job, name, kernel["loops"])


def test_a_block_fits(made):
    """With 128 query rows, at least one of four or more warps."""
    for job, kernels in made["needs"].items():
        for name, kernel in kernels.items():
            assert blocks(kernel, job.split()[1]) >= 1, (job, name)


def test_no_figure_is_worse(made):
    assert made["ptxas"] == COMMITTED["ptxas"]  # scripts/install-deps.sh installs it
    for job, kernels in COMMITTED["needs"].items():
        for name, then in kernels.items():
            now, chip = made["needs"][job][name], job.split()[1]
            assert now["registers"] <= then["registers"] + REGISTER_STEP, (job, name)
            assert blocks(now, chip) >= blocks(then, chip), (job, name)
            for what in now.keys() - {"registers", "threads", "loops"}:
                assert now[what] <= then[what], (job, name, what)


def test_no_loop_over_key_tiles_is_longer(made):
    """As many loops, with as many products, and not more instructions for them."""
    for job, kernels in COMMITTED["needs"].items():
        for name, then in kernels.items():
            now = made["needs"][job][name]["loops"]
            products = lambda loops: [count for _, count, *_ in loops]
            assert products(now) == products(then["loops"]), (job, name)
            for (length, *_), (before, *_) in zip(now, then["loops"]):
                assert length <= before * LOOP_STEP, (job, name, now)
