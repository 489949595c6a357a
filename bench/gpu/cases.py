"""The shapes that are measured, the most telling first."""

import dataclasses
import math
from collections.abc import Iterable, Iterator

import torch

from patterns import PATTERNS, Pattern

TORCH_TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}
# Tokens of a batch where sequences are short, and elements of a token in all heads
# of Q: FlashAttention's own benchmarks have these.
TOKENS, WIDTH = 16384, 2048
# How many query heads share a head of keys where the case is one of grouped heads.
GROUP = 4
LONGEST_WITH_PEERS = 65536
# Whose live pairs grow with the length alone, so that a million tokens are possible.
LINEAR = ("window1024", "window4096", "longformer", "bigbird", "streaming", "dilated")


@dataclasses.dataclass(frozen=True)
class Case:
    """One mask on one shape."""

    pattern: Pattern
    dtype: str
    batches: int
    heads: int
    key_heads: int
    n: int
    head_size: int
    with_peers: bool = True

    @property
    def key(self) -> str:
        return (f"case/{self.pattern.name}/{self.dtype}/b{self.batches}_h{self.heads}"
                f"_kv{self.key_heads}_n{self.n}_d{self.head_size}")

    @property
    def query_shape(self) -> tuple[int, int, int, int]:
        return (self.batches, self.heads, self.n, self.head_size)

    @property
    def key_shape(self) -> tuple[int, int, int, int]:
        return (self.batches, self.key_heads, self.n, self.head_size)

    @property
    def element_bytes(self) -> int:
        return TORCH_TYPES[self.dtype].itemsize

    @property
    def input_bytes(self) -> int:
        return self.element_bytes * (math.prod(self.query_shape) + 2 * math.prod(self.key_shape))

    @property
    def output_bytes(self) -> int:
        return self.element_bytes * math.prod(self.query_shape)

    def live_pairs(self, pattern: Pattern | None = None) -> int:
        return self.batches * (pattern or self.pattern).live_pairs(self.n, self.heads)

    def useful_flops(self, pattern: Pattern | None = None) -> int:
        """Two products of 2·D operations a live pair."""
        return 4 * self.head_size * self.live_pairs(pattern)

    def describe(self) -> dict[str, object]:
        return {
            "pattern": self.pattern.name,
            "title": self.pattern.title,
            "mask": self.pattern.mask,
            "dtype": self.dtype,
            "batches": self.batches,
            "heads": self.heads,
            "key_heads": self.key_heads,
            "n": self.n,
            "head_size": self.head_size,
            "live_pairs": self.live_pairs(),
            "total_pairs": self.batches * self.heads * self.n**2,
            "density": self.pattern.density(self.n),
        }


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Q, K and V."""

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor


def random_inputs(case: Case, device: torch.device, seed: int) -> Inputs:
    """Normal noise: zeros and constants run faster than real data."""
    generator = torch.Generator(device).manual_seed(seed)

    def noise(shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randn(shape, generator=generator, device=device,
                           dtype=TORCH_TYPES[case.dtype])

    return Inputs(noise(case.query_shape), noise(case.key_shape), noise(case.key_shape))


def shaped(pattern: str, n: int, head_size: int, dtype: str, grouped: bool) -> Case:
    heads = WIDTH // head_size
    return Case(PATTERNS[pattern], dtype, max(1, TOKENS // n), heads,
                heads // GROUP if grouped else heads, n, head_size,
                with_peers=n <= LONGEST_WITH_PEERS)


def _ordered(dtype: str) -> Iterator[Case]:
    """A stop at any time leaves the best that the time allowed."""
    k = 1024

    def cases(names: Iterable[str], lengths: Iterable[int], sizes: Iterable[int],
              grouped: bool = False) -> Iterator[Case]:
        for size in sizes:
            for n in lengths:
                for name in names:
                    yield shaped(name, n * k, size, dtype, grouped)

    # What the goals name: every pattern in the middle, then both ends. A million tokens
    # are ours alone, and take less time than compiling a peer.
    yield from cases(PATTERNS, [16], [64])
    yield from cases(LINEAR, [1024], [64])
    yield from cases(PATTERNS, [16], [128])
    yield from cases(PATTERNS, [4, 64], [64, 128])
    # Is time linear?
    yield from cases(LINEAR, [128, 256, 512, 2048], [64])
    yield from cases(PATTERNS, [16], [128], grouped=True)
    yield from cases(PATTERNS, [16], [256])
    # The rest of the curves.
    yield from cases(PATTERNS, [2, 8, 32], [64, 128])
    yield from cases(LINEAR, [128, 1024], [128])
    yield from cases(PATTERNS, [4, 64], [256])
    yield from cases(PATTERNS, [4, 64], [128], grouped=True)
    yield from cases(PATTERNS, [16], [64, 256], grouped=True)
    yield from cases(PATTERNS, [2, 8, 32], [256])
    yield from cases(PATTERNS, [2, 8, 32], [128], grouped=True)
    yield from cases(LINEAR, [256, 512, 2048], [128])
    yield from cases(LINEAR, [128, 1024], [256])


def measured_cases(dtypes: Iterable[str]) -> list[Case]:
    """All cases of the first type, then those of the next."""
    return [case for dtype in dtypes for case in _ordered(dtype)]
