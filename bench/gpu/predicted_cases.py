"""What is predicted: the benchmark's main cases at 8192 tokens, and one token against a
cache of as many; and masks of which a query tile has few key tiles, so that what blocks
do beside their loops shows."""

import dataclasses
import random

from cases import shaped
from launches import Sizes
from packages import Function
from patterns import PATTERNS, Pattern, causal_window, documents, window

TOKENS = 8192
HEAD_SIZES = (64, 96, 128)
# Those of the main cases; of others only dense is one, which bounds of others need.
MAIN_HEAD_SIZES = (64, 128)
DTYPE = "bf16"
MASKS = ("dense", "causal", "window1024", "longformer", "bigbird", "streaming")
# Of one row with as many heads as Mistral 7B and Llama 3 8B have, over fewer of keys.
DECODE_HEADS, DECODE_KEY_HEADS = 32, 8
MOST_OVER_BOUND = 1.3


@dataclasses.dataclass(frozen=True)
class Predicted:
    """One function at one size. `fixed`: compiled for this size alone, not for all."""

    name: str
    title: str
    function: Function
    sizes: Sizes
    live_pairs: int
    fixed: bool = False
    # How many times the time of its bound it is to take at most: of its visited pairs at the
    # dense case's rate, or of its bytes at the memory's, whichever is more.
    most_over_bound: float | None = None

    @property
    def useful_flops(self) -> int:
        """Two products of 2·D operations a live pair."""
        return 4 * self.function.head_size * self.live_pairs

    def module(self) -> str:
        """As MLIR."""
        return self.fixed_module() if self.fixed else self.function.text()

    def fixed_module(self) -> str:
        """For this size alone."""
        sizes = self.sizes
        queries, keys = (
            f"tensor<{sizes.batches}x{heads}x{length}x{self.function.head_size}"
            f"x{self.function.dtype}>"
            for heads, length in ((sizes.heads, sizes.queries), (sizes.key_heads, sizes.keys)))
        return f"""\
func.func @{self.function.name}(%q: {queries}, %k: {keys}, %v: {keys}) -> {queries} {{
  %init = tensor.empty() : {queries}
  %o = sparse_attn.attention mask({self.function.pattern.mask})
      ins(%q, %k, %v : {queries}, {keys}, {keys}) outs(%init : {queries}) -> {queries}
  return %o : {queries}
}}
"""


def _square(name: str, head_size: int, fixed: bool = False) -> Predicted:
    case = shaped(name, TOKENS, head_size, DTYPE, grouped=False)
    title = case.pattern.title + (", sizes known" if fixed else "")
    return Predicted(name + ("_fixed" if fixed else ""), title,
                     Function(case.pattern, DTYPE, head_size),
                     Sizes(case.batches, case.heads, case.key_heads, case.n, case.n),
                     case.live_pairs(), fixed)


def _decode(head_size: int) -> Predicted:
    """The row sees all keys, so the causal kernel computes it."""
    return Predicted("decode", "one token, causal", Function(PATTERNS["causal"], DTYPE, head_size),
                     Sizes(1, DECODE_HEADS, DECODE_KEY_HEADS, 1, TOKENS), DECODE_HEADS * TOKENS,
                     most_over_bound=MOST_OVER_BOUND)


def _grouped(pattern: Pattern, head_size: int, length: int, fixed: bool = False) -> Predicted:
    """Of one batch of heads as decoding has them."""
    return Predicted(pattern.name, pattern.title, Function(pattern, DTYPE, head_size),
                     Sizes(1, DECODE_HEADS, DECODE_KEY_HEADS, length, length),
                     pattern.live_pairs(length, DECODE_HEADS), fixed, MOST_OVER_BOUND)



NARROW = (window(64), causal_window(128))
_sizes = random.Random(1)
DOCUMENTS = tuple(_sizes.randint(192, 320) for _ in range(64))


def predicted_cases(head_sizes: tuple[int, ...] = HEAD_SIZES) -> list[Predicted]:
    cases = []
    for size in head_sizes:
        is_main = size in MAIN_HEAD_SIZES
        cases += [_square(name, size) for name in (MASKS if is_main else ("dense",))]
        if is_main:
            cases += [_square("bigbird", size, fixed=True), _decode(size)]
        cases += [_grouped(pattern, size, TOKENS) for pattern in NARROW]
        # Their table is for one length.
        if is_main:
            cases.append(_grouped(documents(DOCUMENTS), size, sum(DOCUMENTS), fixed=True))
    return cases


# Useful TFLOP/s that kernels of mma.sync are to reach, by chip, head size and mask.
GOALS = {
    ("A100", 64): {"dense": 205, "causal": 200, "window1024": 160, "longformer": 125},
    ("A100", 128): {"dense": 200, "causal": 195, "window1024": 150},
    ("H100", 64): {"dense": 335, "causal": 320},
    ("H100", 128): {"dense": 335, "causal": 320},
}
