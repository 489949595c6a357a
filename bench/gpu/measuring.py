"""The three kinds of items: checks of a function, measured cases, launch overhead."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import torch

import peers
from cases import Case, Inputs, random_inputs
from checking import Oracle, Rows, sample_rows
from devices import Device
from harness import time_limit
from ours import Kernel, Kernels
from packages import Function
from patterns import Pattern
from peers import Contestant, NotOffered, PeerMaker, PeerOptions, describe_error
from timing import Timed, TimingOptions, measure, summarise

GUARD_BYTES = 4096
GUARD = 0xA5
# What may be used of the free memory: allocators need some air.
MEMORY_PART = 0.9


@dataclasses.dataclass
class Session:
    """What all items share."""

    device: Device
    kernels: Kernels
    timing: TimingOptions
    peer_options: PeerOptions
    # Seconds for a peer's preparation, and for its first call.
    peer_limit: float


class Guarded:
    """Memory with a known pattern on either side, so that writes beyond it show."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        count = dtype.itemsize
        for size in shape:
            count *= size
        self._bytes = torch.empty(count + 2 * GUARD_BYTES, dtype=torch.uint8, device=device)
        self._guards = self._bytes[:GUARD_BYTES], self._bytes[GUARD_BYTES + count:]
        for guard in self._guards:
            guard.fill_(GUARD)
        inner = self._bytes[GUARD_BYTES:GUARD_BYTES + count]
        self.tensor = inner.view(dtype).view(shape)
        # NaN in every float type, so that what is never written shows as well.
        inner.fill_(0xFF)

    def is_intact(self) -> bool:
        return all(bool((guard == GUARD).all()) for guard in self._guards)


class Ours:
    """One of our kernels on one shape, with its output and workspace."""

    def __init__(self, kernel: Kernel, inputs: Inputs, device: Device) -> None:
        self.kernel = kernel
        where = device.torch_device
        self.out = Guarded(tuple(inputs.q.shape), inputs.q.dtype, where)
        self.workspace_bytes = kernel.workspace_bytes(inputs.q, inputs.k, inputs.v)
        self.workspace = Guarded((self.workspace_bytes,), torch.uint8, where)

    def __call__(self, inputs: Inputs) -> torch.Tensor:
        self.kernel(inputs.q, inputs.k, inputs.v, self.out.tensor, self.workspace.tensor)
        return self.out.tensor

    def memory_errors(self) -> list[str]:
        guarded = (("output", self.out), ("workspace", self.workspace))
        return [f"writes beyond the {name}" for name, it in guarded if not it.is_intact()]


def make_ours(session: Session, inputs: Inputs, function: str, name: str = "ours",
              variant: str | None = None, pattern: Pattern | None = None) -> Contestant:
    ours = Ours(session.kernels.find(function, variant), inputs, session.device)
    notes = {"workspace_bytes": ours.workspace_bytes}
    return Contestant(name, ours, pattern, notes)


class TooLarge(Exception):
    """A case that this device has no memory for: left out, and no failure."""


def require_memory(session: Session, needed: int) -> None:
    free = session.device.free_bytes() * MEMORY_PART
    if needed > free:
        raise TooLarge(f"needs {peers.human_bytes(needed)} of memory,"
                         f" {peers.human_bytes(free)} may be used")


def make_oracle(case: Case, pattern: Pattern, inputs: Inputs, rows: Rows,
                device: Device) -> Oracle:
    mask_mod = pattern.make_mask_mod(case.n, case.heads, device.torch_device)
    return Oracle(inputs.q, inputs.k, inputs.v, mask_mod, rows)


# Checks

def check_function(session: Session, function: Function, case: Case) -> dict[str, Any]:
    """All rows of a small shape, twice: against the reference, for equal bits, and for
    writes where none belong."""
    device = session.device
    result: dict[str, Any] = {"kind": "check", "function": function.name, **case.describe()}
    inputs = random_inputs(case, device.torch_device, seed=1)
    every_head = case.batches * case.heads
    rows = sample_rows(case.batches, case.heads, case.n, device.torch_device,
                       num_heads=every_head, num_rows=case.n)
    ours = Ours(session.kernels.find(function.name), inputs, device)
    first = ours(inputs).clone()
    ours.out.tensor.fill_(torch.nan)
    second = ours(inputs)
    device.synchronize()
    result |= make_oracle(case, case.pattern, inputs, rows, device).judge(second)
    result["same_bits_twice"] = torch.equal(first, second)
    result["memory_errors"] = ours.memory_errors()
    result["passed"] = (result["within_goal"] and result["same_bits_twice"]
                        and not result["memory_errors"])
    return result


# Cases

def input_sets(case: Case, device: Device) -> list[Inputs]:
    """So many that a set has left the cache when its turn comes again."""
    count = 1 + -(-2 * device.l2_bytes // case.input_bytes)
    if case.input_bytes > 8 * device.l2_bytes:
        count = 1  # a call's own inputs push each other out
    return [random_inputs(case, device.torch_device, seed) for seed in range(min(count, 16))]


def prepare(session: Session, case: Case,
            makers: Iterator[tuple[str, PeerMaker]]) -> Iterator[tuple[str, Contestant | str]]:
    """Peers, or why there is none."""
    for name, maker in makers:
        try:
            with time_limit(session.peer_limit):
                found: Contestant | str = maker(case, session.device, session.peer_options)
        except NotOffered as reason:
            found = f"not offered: {reason}"
        except Exception as error:
            found = describe_error(error)
            session.device.release_memory()
        yield name, found


class Field:
    """All contestants of a case: checked, then timed."""

    def __init__(self, session: Session, case: Case) -> None:
        self.session, self.case = session, case
        self.inputs = input_sets(case, session.device)
        self.contestants: list[Contestant] = []
        self.results: dict[str, dict[str, Any]] = {}
        self._oracles: dict[str, Oracle] = {}
        self._rows = sample_rows(case.batches, case.heads, case.n, session.device.torch_device)

    def enter(self, name: str, found: Contestant | str) -> None:
        """Its first call, and the check of what it gives; who fails is out."""
        result = self.results.setdefault(name, {})
        if isinstance(found, str):
            result["error"] = found
            return
        result |= found.notes
        start = time.perf_counter()
        try:
            with time_limit(self.session.peer_limit):
                out = found.call(self.inputs[0])
                self.session.device.synchronize()
                result["first_call_seconds"] = time.perf_counter() - start
                result |= self._check(found, out)
        except Exception as error:
            result["error"] = describe_error(error)
            self.session.device.release_memory()
            return
        self.contestants.append(found)

    def _check(self, contestant: Contestant, out: torch.Tensor) -> dict[str, Any]:
        pattern = contestant.computes
        if pattern is None:
            return {}
        if pattern.name not in self._oracles:
            self._oracles[pattern.name] = make_oracle(
                self.case, pattern, self.inputs[0], self._rows, self.session.device)
        return {"mask": pattern.name, **self._oracles[pattern.name].judge(out)}

    def time(self) -> None:
        timed = [Timed(c.name, c.call) for c in self.contestants]
        measure(self.session.device, timed, self.inputs, self.session.timing, describe_error)
        for contestant, it in zip(self.contestants, timed):
            result = self.results[contestant.name]
            if it.error:
                result["error"] = it.error
                continue
            result |= summarise(it.samples)
            result |= {"cpu_seconds": it.cpu_seconds, "late_bursts": it.late_bursts}
            flops = self.case.useful_flops(contestant.computes)
            result["useful_tflops"] = flops / result["seconds"] / 1e12
            if isinstance(contestant.call, Ours):
                result["memory_errors"] = contestant.call.memory_errors()


def add_speedups(results: dict[str, dict[str, Any]], ours: str = "ours") -> None:
    base = results.get(ours, {}).get("seconds")
    if base:
        for result in results.values():
            if "seconds" in result:
                result["times_ours"] = result["seconds"] / base


def measure_case(session: Session, function: Function | None, case: Case,
                 with_peers: bool = True) -> dict[str, Any]:
    """One case: ours and, where they are asked for, all peers, interleaved."""
    result: dict[str, Any] = {"kind": "case", **case.describe()}
    # In, out, and once more what checks and peers make of it.
    require_memory(session, 2 * (case.input_bytes + case.output_bytes))
    field = Field(session, case)
    if function is None:
        field.enter("ours", "no such function in the package")
    else:
        def maker(*_: Any) -> Contestant:
            return make_ours(session, field.inputs[0], function.name, pattern=case.pattern)

        for entry in prepare(session, case, iter([("ours", maker)])):
            field.enter(*entry)
    if with_peers and case.with_peers:
        for entry in prepare(session, case, peers.peers_of(case, session.device)):
            field.enter(*entry)
    field.time()
    add_speedups(field.results)
    result["input_sets"] = len(field.inputs)
    result["contestants"] = field.results
    result["device_state"] = session.device.state()
    return result
