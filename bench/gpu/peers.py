"""Who is measured beside us: PyTorch's scaled_dot_product_attention by each of its
backends, compiled FlexAttention, and Hugging Face's attention layers.

A peer is made by a function (case, device, options) -> Contestant, which raises what
its user would see when it cannot do the case.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from torch.nn.functional import scaled_dot_product_attention

from cases import Case, Inputs
from devices import Device
from patterns import PATTERNS, Pattern


class NotOffered(Exception):
    """A peer has nothing for a case; not a failure of it."""


@dataclasses.dataclass
class Contestant:
    """One way to compute a case, or the dense one in its place."""

    name: str
    call: Callable[[Inputs], torch.Tensor]
    # The mask it computes; None where it is not ours, and then it is not checked.
    computes: Pattern | None
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class PeerOptions:
    # FlexAttention through torch.compile; tests go without.
    compile: bool = True
    # Let Inductor try FlexAttention's tile sizes, at some minutes a case.
    autotune: bool = False


PeerMaker = Callable[[Case, Device, PeerOptions], Contestant]

GPU_BACKENDS = {
    "sdpa_cudnn": SDPBackend.CUDNN_ATTENTION,
    "sdpa_flash": SDPBackend.FLASH_ATTENTION,
    "sdpa_efficient": SDPBackend.EFFICIENT_ATTENTION,
}
CPU_BACKENDS = {
    "sdpa_cudnn": SDPBackend.CUDNN_ATTENTION,  # which fails there, as it should
    "sdpa_flash": SDPBackend.FLASH_ATTENTION,
    "sdpa_math": SDPBackend.MATH,
}


def make_sdpa(name: str, backend: SDPBackend, is_causal: bool) -> PeerMaker:
    """Dense attention, or causal: it has no other masks without a matrix of n²."""

    def make(case: Case, device: Device, options: PeerOptions) -> Contestant:
        grouped = case.key_heads != case.heads

        def call(inputs: Inputs) -> torch.Tensor:
            with sdpa_kernel(backend):
                return scaled_dot_product_attention(
                    inputs.q, inputs.k, inputs.v, is_causal=is_causal,
                    enable_gqa=grouped)

        return Contestant(name, call, PATTERNS["causal" if is_causal else "dense"])

    return make


def timed_block_mask(case: Case, device: Device,
                     options: PeerOptions) -> tuple[Any, dict[str, Any]]:
    """FlexAttention's table of blocks, and what making it takes: the first time with
    compilation, the second without."""
    where = device.torch_device
    mask_mod = case.pattern.make_mask_mod(case.n, case.heads, where)
    heads = case.heads if case.pattern.differs_by_head else None
    seconds = []
    for _ in range(2):
        device.synchronize()
        start = time.perf_counter()
        # Compiled, as else it holds n² numbers at a time.
        block_mask = create_block_mask(mask_mod, None, heads, case.n, case.n, device=where,
                                       _compile=options.compile)
        device.synchronize()
        seconds.append(time.perf_counter() - start)
    return block_mask, {
        "block_mask_first_seconds": seconds[0],
        "block_mask_seconds": seconds[1],
        "block_mask_sparsity_percent": block_mask.sparsity(),
    }


def make_flex(case: Case, device: Device, options: PeerOptions) -> Contestant:
    block_mask: Any = None
    notes: dict[str, Any] = {}
    if case.pattern.name != "dense":
        block_mask, notes = timed_block_mask(case, device, options)
    function: Callable[..., Any] = flex_attention
    if options.compile:
        # Shapes fixed: the best it can do, and forgotten by the next case.
        torch._dynamo.reset()
        mode = "max-autotune-no-cudagraphs" if options.autotune else None
        function = torch.compile(flex_attention, dynamic=False, mode=mode)
    grouped = case.key_heads != case.heads

    def call(inputs: Inputs) -> torch.Tensor:
        with torch.no_grad():
            return function(inputs.q, inputs.k, inputs.v, block_mask=block_mask,
                            enable_gqa=grouped)

    return Contestant("flex", call, case.pattern, notes)


def peers_of(case: Case, device: Device) -> Iterator[tuple[str, PeerMaker]]:
    """Everybody for a case. Causal kernels stand for causal masks only."""
    import hf_layers  # which imports this

    backends = GPU_BACKENDS if device.torch_device.type == "cuda" else CPU_BACKENDS
    for name, backend in backends.items():
        yield name, make_sdpa(name, backend, is_causal=False)
        if case.pattern.is_causal:
            yield f"{name}_causal", make_sdpa(f"{name}_causal", backend, is_causal=True)
    yield "flex", make_flex
    yield from hf_layers.layers_of(case)


def describe_error(error: BaseException) -> str:
    """One line of what a user would see."""
    if isinstance(error, torch.OutOfMemoryError):
        return "out of memory"
    lines = [line for line in str(error).strip().splitlines() if line.strip()] or [""]
    return f"{type(error).__name__}: {lines[0][:300]}"


def human_bytes(count: float) -> str:
    unit = min(int(math.log2(max(count, 1)) // 10), 4)
    return f"{count / 1024**unit:.1f} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[unit]}"
