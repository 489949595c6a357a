"""Is a result right? Sampled rows against a reference in double precision, judged by
what PyTorch's eager attention in the same type makes of the same rows.
"""

import dataclasses
from typing import Any

import torch

from patterns import MaskMod

# Keys of a step of the reference: its memory does not grow with the length.
KEY_CHUNK = 1 << 16
# The goal of docs/design/Plans.md ("Numerics"): our largest and mean error, in those of
# PyTorch's eager attention; and half a rounding to f32 of the largest result.
LARGEST_FACTOR, MEAN_FACTOR = 2.0, 1.1
FREE = 2.0**-25
# By these a peer still computes the same mask: one key too many or too few is worse.
PEER_LARGEST_FACTOR, PEER_MEAN_FACTOR = 4.0, 1.5


@dataclasses.dataclass(frozen=True)
class Rows:
    """Sampled rows of some heads: heads [(batch, head)], rows [number]."""

    heads: list[tuple[int, int]]
    rows: torch.Tensor

    @property
    def count(self) -> int:
        return len(self.heads) * len(self.rows)


def sample_rows(batches: int, heads: int, n: int, device: torch.device,
                num_heads: int = 4, num_rows: int = 64, seed: int = 0) -> Rows:
    """Random ones, and those at the ends and beside the edges of tiles and blocks,
    where mistakes are."""
    generator = torch.Generator().manual_seed(seed)
    edges = [0, 1, 63, 64, 127, 128, n // 2 - 1, n // 2, n - 129, n - 64, n - 2, n - 1]
    random = torch.randint(n, (num_rows,), generator=generator).tolist()
    rows = sorted({row for row in edges + random if 0 <= row < n})
    every = [(b, h) for b in range(batches) for h in range(heads)]
    order = torch.randperm(len(every), generator=generator).tolist()
    # The last head of the last batch stands at the largest offset.
    chosen = {every[-1], *(every[index] for index in order[: num_heads - 1])}
    return Rows(sorted(chosen), torch.tensor(rows, device=device))


def _allowed(mask_mod: MaskMod, batch: int, head: int, rows: torch.Tensor,
             first: int, last: int) -> torch.Tensor:
    """[rows, last - first]: the mask between these rows and keys."""
    device = rows.device
    keys = torch.arange(first, last, device=device)
    where = torch.tensor(batch, device=device), torch.tensor(head, device=device)
    return mask_mod(*where, rows[:, None], keys[None, :]).broadcast_to(len(rows), last - first)


def _reference_head(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float,
                    mask_mod: MaskMod, batch: int, head: int, rows: torch.Tensor) -> torch.Tensor:
    """Online softmax in double over chunks of keys: q [rows, D], k and v [N, D]."""
    n = k.shape[0]
    maximum = torch.full((len(rows), 1), -torch.inf, dtype=torch.float64, device=q.device)
    total = torch.zeros_like(maximum)
    result = torch.zeros(len(rows), v.shape[1], dtype=torch.float64, device=q.device)
    for first in range(0, n, KEY_CHUNK):
        last = min(first + KEY_CHUNK, n)
        scores = q.double() @ k[first:last].double().T * scale
        allowed = _allowed(mask_mod, batch, head, rows, first, last)
        scores = scores.masked_fill(~allowed, -torch.inf)
        larger = torch.maximum(maximum, scores.amax(dim=1, keepdim=True))
        finite = larger.clamp(min=torch.finfo(torch.float64).min)
        weights, rescale = torch.exp(scores - finite), torch.exp(maximum - finite)
        total = total * rescale + weights.sum(dim=1, keepdim=True)
        result = result * rescale + weights @ v[first:last].double()
        maximum = larger
    return torch.where(total > 0, result / total, 0)


def _eager_head(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float,
                mask_mod: MaskMod, batch: int, head: int, rows: torch.Tensor) -> torch.Tensor:
    n = k.shape[0]
    allowed = torch.cat(
        [_allowed(mask_mod, batch, head, rows, first, min(first + KEY_CHUNK, n))
         for first in range(0, n, KEY_CHUNK)], dim=1)
    scores = (q @ k.T * scale).masked_fill(~allowed, -torch.inf)
    weights = torch.nan_to_num(scores.softmax(dim=1), nan=0.0)
    return (weights @ v).double()


class Oracle:
    """The exact result of the sampled rows, and how far eager attention is off."""

    def __init__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor,
                 mask_mod: MaskMod, rows: Rows) -> None:
        self.rows = rows
        groups = q.shape[1] // k.shape[1]
        scale = q.shape[3] ** -0.5
        exact, eager = [], []
        for batch, head in rows.heads:
            operands = (q[batch, head, rows.rows], k[batch, head // groups],
                        v[batch, head // groups], scale, mask_mod, batch, head, rows.rows)
            exact.append(_reference_head(*operands))
            eager.append(_eager_head(*operands))
        self.exact = torch.stack(exact)
        error = (torch.stack(eager) - self.exact).abs()
        self.eager_largest, self.eager_mean = error.max().item(), error.mean().item()
        self.largest_result = self.exact.abs().max().item()

    def judge(self, out: torch.Tensor) -> dict[str, Any]:
        """The errors of `out`, and whether they are within the goal."""
        ours = torch.stack([out[b, h, self.rows.rows] for b, h in self.rows.heads])
        error = (ours.double() - self.exact).abs()
        largest, mean = error.max().item(), error.mean().item()
        all_finite = all(bool(torch.isfinite(part).all()) for part in out)
        free = FREE * self.largest_result

        def within(largest_factor: float, mean_factor: float) -> bool:
            return (all_finite and largest <= largest_factor * self.eager_largest + free
                    and mean <= mean_factor * self.eager_mean + free)

        return {
            "checked_rows": self.rows.count,
            "max_abs_error": largest,
            "mean_abs_error": mean,
            "eager_max_abs_error": self.eager_largest,
            "eager_mean_abs_error": self.eager_mean,
            "all_finite": all_finite,
            "within_goal": within(LARGEST_FACTOR, MEAN_FACTOR),
            "agrees": within(PEER_LARGEST_FACTOR, PEER_MEAN_FACTOR),
        }
