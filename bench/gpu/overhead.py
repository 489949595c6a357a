"""What a launch costs the CPU, and what is left of that under a CUDA graph."""

import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

import peers
from cases import Case, Inputs, random_inputs
from devices import Device
from measuring import Session, make_ours
from packages import Function
from peers import Contestant, describe_error

GRAPH_CALLS, REPLAYS = 20, 50


@dataclasses.dataclass(frozen=True)
class Counts:
    launches: int = 100
    rounds: int = 9


def cpu_seconds_per_call(device: Device, call: Callable[[], object], counts: Counts) -> float:
    """Median over rounds. The work is small and the queue of the GPU long enough, so
    that the CPU never waits in between."""
    rounds = []
    for _ in range(counts.rounds):
        device.synchronize()
        start = time.perf_counter()
        for _ in range(counts.launches):
            call()
        rounds.append((time.perf_counter() - start) / counts.launches)
        device.synchronize()
    return statistics.median(rounds)


def graph_seconds_per_call(call: Callable[[], object]) -> float:
    """Of calls captured one after another, replayed; by events."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # as PyTorch asks: warm up on the stream to capture
        call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(GRAPH_CALLS):
            call()
    graph.replay()
    torch.cuda.synchronize()
    samples = []
    for _ in range(REPLAYS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        samples.append(start.elapsed_time(end) / 1e3 / GRAPH_CALLS)
    return statistics.median(samples)


def measure_contestant(device: Device, contestant: Contestant, inputs: Inputs,
                       counts: Counts) -> dict[str, Any]:
    def call() -> object:
        return contestant.call(inputs)

    result: dict[str, Any] = dict(contestant.notes)
    eager = contestant.call(inputs).clone()
    device.synchronize()
    result["cpu_seconds_per_call"] = cpu_seconds_per_call(device, call, counts)
    if device.torch_device.type == "cuda":
        try:
            result["graph_seconds_per_call"] = graph_seconds_per_call(call)
        except Exception as error:
            result["graph_error"] = describe_error(error)
    again = contestant.call(inputs)
    result["same_result_after"] = torch.equal(eager, again)
    return result


def measure_overhead(session: Session, function: Function, case: Case,
                     counts: Counts = Counts()) -> dict[str, Any]:
    """Ours and PyTorch's FlashAttention backend and FlexAttention, on little work."""
    device = session.device
    inputs = random_inputs(case, device.torch_device, seed=0)
    makers: dict[str, Callable[[], Contestant]] = {
        "ours": lambda: make_ours(session, inputs, function.name),
        "sdpa_flash": lambda: peers.make_sdpa(
            "sdpa_flash", peers.GPU_BACKENDS["sdpa_flash"], False)(
                case, device, session.peer_options),
        "flex": lambda: peers.make_flex(case, device, session.peer_options),
    }
    contestants: dict[str, dict[str, Any]] = {}
    for name, maker in makers.items():
        try:
            contestants[name] = measure_contestant(device, maker(), inputs, counts)
        except Exception as error:
            contestants[name] = {"error": describe_error(error)}
    return {"kind": "overhead", "function": function.name, **case.describe(),
            "contestants": contestants}
