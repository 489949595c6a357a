# RUN: %pytest %s
"""In loops over key tiles stand the instructions that the algorithm needs, counted
for one thread, and a few for the loop itself."""

import dataclasses

import pytest
from ptx import compile_kernels, count, ordinary


@dataclasses.dataclass(frozen=True)
class Kernel:
    mask: str
    dtype: str
    d: int
    queries: int  # of a tile
    keys: int
    warps: int

    def ptx(self):
        tensor = f"tensor<1x4x1024x{self.d}x{self.dtype}>"
        text = f"""
            func.func @f(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
              %init = tensor.empty() : {tensor}
              %o = sparse_attn.attention mask(#sparse_attn.{self.mask})
                ins(%q, %k, %v : {tensor}, {tensor}, {tensor})
                outs(%init : {tensor}) -> {tensor}
              return %o : {tensor}
            }}"""
        (kernels,) = compile_kernels(
            text, chip="sm_80", tile_queries=self.queries, tile_keys=self.keys,
            warps=self.warps,
        )
        return kernels.ptx

    @property
    def bands(self):
        """Of 16 rows, a warp."""
        return self.queries // self.warps // 16

    @property
    def is_apart(self):
        """Whether its warps meet for no tile: so many accumulators leave a thread the
        registers for that."""
        return self.bands * 16 * (self.d + self.keys) // 32 <= 160

    @property
    def scores(self):
        return self.bands * 16 * self.keys // 32

    @property
    def rows(self):
        return 2 * self.bands


KERNELS = {
    "dense-f16-d64": Kernel("full", "f16", 64, queries=128, keys=64, warps=4),
    "causal-bf16-d128": Kernel("causal", "bf16", 128, queries=128, keys=64, warps=8),
    "dense-bf16-d160": Kernel(
        "full", "bf16", 160, queries=128, keys=32, warps=4
    ),
    "window-f16-d64": Kernel(
        "sliding_window<left = 256, right = 256>", "f16", 64, queries=128, keys=64,
        warps=4,
    ),
}


@pytest.fixture(scope="module", params=KERNELS, ids=list(KERNELS))
def kernel(request):
    kernel = KERNELS[request.param]
    ptx = kernel.ptx()
    return kernel, ptx, ordinary(ptx)


def is_partial(body):
    # Two may find the slot that is next in a ring.
    return count(body, "selp") > 2


def test_one_loop_for_each_kind_of_tile(kernel):
    """The edges of a window are cut by one bound each."""
    kernel, _, bodies = kernel
    assert [is_partial(body) for body in bodies] == {
        "full": [False],
        "causal": [True, False],
        "sliding_window": [True, True, False],
    }[kernel.mask.split("<")[0]]


def test_products(kernel):
    kernel, _, bodies = kernel
    scores = kernel.bands * (kernel.keys // 8) * (kernel.d // 16)
    values = kernel.bands * (kernel.d // 8) * (kernel.keys // 16)
    blocks = (kernel.keys // 16) * (kernel.d // 16)
    queries = kernel.bands * (kernel.d // 16)  # where they are in shared memory
    for body in bodies:
        assert count(body, "mma") == scores + values
        assert count(body, r"ldmatrix.*\.x4\.trans") == blocks
        assert count(body, r"ldmatrix.*\.x4\.shared") in (blocks, blocks + queries)
        assert count(body, "ldmatrix") == count(body, r"ldmatrix.*\.x4")


def test_softmax(kernel):
    kernel, _, bodies = kernel
    accumulators = kernel.bands * 16 * kernel.d // 32
    for body in bodies:
        # One exponential a score, and one a row to rescale by.
        assert count(body, "ex2") == kernel.scores + kernel.rows
        # One fused operation a score, and one a row for the sum.
        assert count(body, "fma") <= kernel.scores + kernel.rows
        # The accumulators are rescaled; four more a row at most.
        assert count(body, "mul.*f32") <= accumulators + 4 * kernel.rows
        assert count(body, "add.*f32", "sub.*f32") <= kernel.scores + 2 * kernel.rows
        # Two scores a conversion.
        assert count(body, "cvt.rn.b?f16x2") == kernel.scores // 2
        assert count(body, "cvt.*f32", "cvt.*f16") == kernel.scores // 2


def test_shuffles_are_those_of_the_row_maximum(kernel):
    kernel, _, bodies = kernel
    for body in bodies:
        assert count(body, "shfl") == 2 * kernel.rows


def test_maxima(kernel):
    """One a score, and a few a row."""
    kernel, _, bodies = kernel
    for body in bodies:
        assert count(body, "max") <= kernel.scores + 4 * kernel.rows


def test_masks(kernel):
    """A comparison and a select a score in partial tiles, nothing in full ones."""
    kernel, _, bodies = kernel
    for body in bodies:
        scores = kernel.scores if is_partial(body) else 0
        # Two more find the tile where it may be of several segments, or a slot of a ring
        # behind a barrier.
        more = 2 if scores or not kernel.is_apart else 0
        assert scores <= count(body, "selp") <= scores + more
        # Two more say whether a warp has rows that the tile reaches, and any that it
        # does not allow whole.
        assert count(body, "setp") <= scores + (8 if scores else 4)


def test_no_integer_arithmetic_an_element(kernel):
    kernel, _, bodies = kernel
    for body in bodies:
        integer = (r"(add|sub|mul|mad|shl|shr|and|or|xor|min|max|not)\S*\.[usb](16|32|64)"
                   , r"cvt\.[us]\d+\.[us]\d+", r"prmt|lop3|bfe|bfi")
        # Two tiles' slots, modulo three, and mbarriers take a dozen.
        assert count(body, *integer) <= (56 if kernel.is_apart else 40)
        assert count(body, "mov") <= 10


def test_copies(kernel):
    kernel, _, bodies = kernel
    tile_bytes = kernel.keys * kernel.d * 2
    for body in bodies:
        assert count(body, "cp.async.cg") == 2 * tile_bytes // (16 * 32 * kernel.warps)


def test_waits(kernel):
    """A barrier of the block, or a test whether a slot is full and one whether it is empty,
    and an arrival for each; where a warp may leave a tile out, it arrives on either way."""
    kernel, _, bodies = kernel
    groups, tests = r"cp\.async\.(commit|wait)", r"mbarrier\.test_wait"
    arrivals, warp = r"(cp\.async\.)?mbarrier\.arrive", r"bar\.warp\.sync"
    for body in bodies:
        if kernel.is_apart:
            ways = 2 if is_partial(body) else 1
            assert count(body, tests) == 2
            assert count(body, arrivals) == 1 + ways
            assert count(body, "bar") == count(body, warp) <= ways
            assert count(body, groups) == 0
        else:
            assert count(body, groups) == 2 and count(body, "bar") == 1
            assert count(body, tests, arrivals) == 0


def test_nothing_else(kernel):
    """Neither loads, stores, calls nor local memory in loops."""
    _, ptx, bodies = kernel
    for body in bodies:
        assert count(body, "ld[.]", "st[.]", "call", "atom", "div", "rem") == 0
    assert ".local" not in ptx and "call" not in ptx
