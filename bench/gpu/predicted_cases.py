"""What is predicted: the benchmark's main cases at 8192 tokens, and one token against a
cache of as many."""

import dataclasses

from cases import shaped
from launches import Sizes
from packages import Function
from patterns import PATTERNS

TOKENS = 8192
HEAD_SIZES = (64, 128)
DTYPE = "bf16"
MASKS = ("dense", "causal", "window1024", "longformer", "bigbird", "streaming")
# Of one row with as many heads as Mistral 7B and Llama 3 8B have, over fewer of keys.
DECODE_HEADS, DECODE_KEY_HEADS = 32, 8


@dataclasses.dataclass(frozen=True)
class Predicted:
    """One function at one size. `fixed`: compiled for this size alone, not for all."""

    name: str
    title: str
    function: Function
    sizes: Sizes
    live_pairs: int
    fixed: bool = False

    @property
    def useful_flops(self) -> int:
        """Two products of 2·D operations a live pair."""
        return 4 * self.function.head_size * self.live_pairs

    def module(self) -> str:
        """As MLIR."""
        if not self.fixed:
            return self.function.text()
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
                     Sizes(1, DECODE_HEADS, DECODE_KEY_HEADS, 1, TOKENS), DECODE_HEADS * TOKENS)


def predicted_cases(head_sizes: tuple[int, ...] = HEAD_SIZES) -> list[Predicted]:
    cases = []
    for size in head_sizes:
        cases += [_square(name, size) for name in MASKS]
        cases += [_square("bigbird", size, fixed=True), _decode(size)]
    return cases


# Useful TFLOP/s that kernels of mma.sync are to reach, by chip, head size and mask.
GOALS = {
    ("A100", 64): {"dense": 205, "causal": 200, "window1024": 160, "longformer": 125},
    ("A100", 128): {"dense": 200, "causal": 195, "window1024": 150},
    ("H100", 64): {"dense": 335, "causal": 320},
    ("H100", 128): {"dense": 335, "causal": 320},
}
