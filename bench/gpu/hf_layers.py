"""Hugging Face's Longformer and BigBird attention layers on our Q, K and V.

The layers project hidden states to Q, K and V first. Here the projections hand out
given tensors instead: so a layer computes on the same numbers as everybody, can be
checked, and is charged for its attention only. BigBird's layer gets our random blocks
in place of those it draws, which it does in Python at every call.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import torch

import draws
from cases import TORCH_TYPES, Case, Inputs

if TYPE_CHECKING:
    from devices import Device
    from peers import Contestant, PeerMaker, PeerOptions

NOTES = {
    "layer": "attention of the layer without its projections; one copy of Q a call,"
    " which the layer scales in place"
}


class Given(torch.nn.Module):
    """Stands for a projection, and returns what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.value: torch.Tensor | None = None

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        assert self.value is not None and self.value.shape[:2] == hidden.shape[:2]
        return self.value


@dataclasses.dataclass
class Layouts:
    """[S, B, H·D] or [B, S, H·D] of each set of inputs, made once."""

    order: tuple[int, int, int, int]
    made: dict[int, tuple[torch.Tensor, ...]] = dataclasses.field(default_factory=dict)

    def of(self, inputs: Inputs) -> tuple[torch.Tensor, ...]:
        if id(inputs) not in self.made:
            self.made[id(inputs)] = tuple(
                tensor.permute(self.order).flatten(2).contiguous()
                for tensor in (inputs.q, inputs.k, inputs.v))
        return self.made[id(inputs)]


def _require_plain_heads(case: Case) -> None:
    from peers import NotOffered

    if case.key_heads != case.heads:
        raise NotOffered("the layer has as many heads of keys as of queries")


def _heads_first(out: torch.Tensor, case: Case) -> torch.Tensor:
    """[B, S, H·D] as [B, H, S, D], a view."""
    return out.view(case.batches, case.n, case.heads, case.head_size).transpose(1, 2)


def make_longformer(case: Case, device: "Device", options: "PeerOptions") -> "Contestant":
    from peers import Contestant
    from transformers import LongformerConfig
    from transformers.models.longformer.modeling_longformer import LongformerSelfAttention

    _require_plain_heads(case)
    width = case.heads * case.head_size
    config = LongformerConfig(
        hidden_size=width, num_attention_heads=case.heads, attention_probs_dropout_prob=0.0,
        attention_window=[case.pattern.parameters["window"]])
    layer = LongformerSelfAttention(config, 0).eval()
    names = ("query", "key", "value", "query_global", "key_global", "value_global")
    given = {name: Given() for name in names}
    for name, module in given.items():
        setattr(layer, name, module)

    dtype, where = TORCH_TYPES[case.dtype], device.torch_device
    # Its own signs: 0 a window, above 0 a global token, below 0 padding.
    attention_mask = torch.zeros(case.batches, case.n, dtype=dtype, device=where)
    attention_mask[:, 0] = 10000
    is_masked, is_global = attention_mask < 0, attention_mask > 0
    layouts = Layouts((2, 0, 1, 3))
    hidden = torch.empty(case.batches, case.n, width, dtype=dtype, device=where)

    def call(inputs: Inputs) -> torch.Tensor:
        q, k, v = layouts.of(inputs)
        # Both queries are scaled in place.
        values = (q.clone(), k, v, q[:1].clone(), k, v)
        for name, value in zip(names, values):
            given[name].value = value
        with torch.no_grad():
            out = layer(hidden, attention_mask=attention_mask, is_index_masked=is_masked,
                        is_index_global_attn=is_global, is_global_attn=True)[0]
        return _heads_first(out, case)

    return Contestant("hf_longformer", call, case.pattern, dict(NOTES))


def _use_our_blocks(layer: Any, case: Case) -> None:
    """The layer draws for all heads at once, or, at the lengths of the paper, for one
    head a call."""
    p = case.pattern.parameters
    num_blocks = case.n // p["block"]
    table = draws.bigbird_blocks(case.heads, num_blocks, p["random_blocks"],
                                 (p["window_blocks"] - 1) // 2, p["seed"])
    by_head = list(table[:, 1:-1])
    if (table[:, 1:-1] < 0).any():
        from peers import NotOffered

        raise NotOffered("the layer needs all its random blocks; n is too small")
    heads = itertools.cycle(by_head)
    layer._bigbird_block_rand_mask_with_head = lambda *_, **__: by_head
    layer._bigbird_block_rand_mask = lambda *_, **__: next(heads)


def make_bigbird(case: Case, device: "Device", options: "PeerOptions") -> "Contestant":
    from peers import Contestant, NotOffered
    from transformers import BigBirdConfig
    from transformers.models.big_bird.modeling_big_bird import (
        BigBirdBlockSparseAttention,
        BigBirdModel,
    )

    _require_plain_heads(case)
    block = case.pattern.parameters["block"]
    if case.pattern.parameters["window_blocks"] != 3 or case.n % block:
        raise NotOffered("the layer has a window of 3 blocks, and whole blocks only")
    config = BigBirdConfig(
        hidden_size=case.heads * case.head_size, num_attention_heads=case.heads,
        block_size=block, num_random_blocks=case.pattern.parameters["random_blocks"],
        max_position_embeddings=max(4096, case.n), use_bias=False)
    layer = BigBirdBlockSparseAttention(config).eval()
    _use_our_blocks(layer, case)
    given = {name: Given() for name in ("query", "key", "value")}
    for name, module in given.items():
        setattr(layer, name, module)

    dtype, where = TORCH_TYPES[case.dtype], device.torch_device
    ones = torch.ones(case.batches, case.n, dtype=dtype, device=where)
    blocked, band, from_mask, to_mask = BigBirdModel.create_masks_for_block_sparse_attn(
        ones, block)
    layouts = Layouts((0, 2, 1, 3))
    hidden = torch.empty(case.batches, case.n, config.hidden_size, dtype=dtype, device=where)

    def call(inputs: Inputs) -> torch.Tensor:
        for module, value in zip(given.values(), layouts.of(inputs)):
            module.value = value
        with torch.no_grad():
            out = layer(hidden, band_mask=band, from_mask=from_mask, to_mask=to_mask,
                        from_blocked_mask=blocked, to_blocked_mask=blocked)[0]
        return _heads_first(out, case)

    notes = {**NOTES, "random_blocks": "ours, at no cost; the layer would draw at each call"}
    return Contestant("hf_bigbird", call, case.pattern, notes)


LAYERS: dict[str, tuple[str, Callable[..., "Contestant"]]] = {
    "longformer": ("hf_longformer", make_longformer),
    "bigbird": ("hf_bigbird", make_bigbird),
}


def layers_of(case: Case) -> Iterator[tuple[str, "PeerMaker"]]:
    if case.pattern.name in LAYERS:
        yield LAYERS[case.pattern.name]
