"""Interleaved timing: every contestant in every round, so that a change of the
clocks meets all of them; medians of single calls.
"""

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from devices import Device

Inputs = TypeVar("Inputs")


@dataclasses.dataclass(frozen=True)
class TimingOptions:
    rounds: int = 7
    # What a contestant may take of a round, and the most calls it makes of that.
    round_seconds: float = 0.02
    burst: int = 20
    warm_ups: int = 3
    # From here on a contestant is left out after `slow_rounds`.
    slow_seconds: float = 0.5
    slow_rounds: int = 3
    flush: bool = False


@dataclasses.dataclass
class Timed(Generic[Inputs]):
    """One contestant: what it calls, and what was measured."""

    name: str
    call: Callable[[Inputs], object]
    cpu_seconds: float = 0.0
    burst: int = 1
    samples: list[float] = dataclasses.field(default_factory=list)
    late_bursts: int = 0  # in which the GPU may have waited for the CPU
    error: str | None = None


def _warm_up(device: Device, timed: Timed[Inputs], inputs: Sequence[Inputs],
             options: TimingOptions) -> None:
    """Also finds how many calls fill a contestant's part of a round."""
    for step in range(options.warm_ups):
        start = time.perf_counter()
        timed.call(inputs[step % len(inputs)])
        timed.cpu_seconds = time.perf_counter() - start
        device.synchronize()
    once = device.time_calls([lambda: timed.call(inputs[0])], timed.cpu_seconds, False)
    fitting = int(options.round_seconds / max(once.seconds[0], 1e-6))
    timed.burst = max(1, min(options.burst, fitting))


def _run_round(device: Device, timed: Timed[Inputs], inputs: Sequence[Inputs],
               number: int, options: TimingOptions) -> None:
    """Each call on other inputs than the last, so that none finds its own in the cache."""
    first = number * timed.burst
    calls = [
        lambda chosen=inputs[(first + step) % len(inputs)]: timed.call(chosen)
        for step in range(timed.burst)
    ]
    burst = device.time_calls(calls, timed.cpu_seconds, options.flush)
    timed.samples += burst.seconds
    timed.late_bursts += not burst.was_ahead


def measure(device: Device, contestants: Sequence[Timed[Inputs]], inputs: Sequence[Inputs],
            options: TimingOptions, describe_error: Callable[[Exception], str]) -> None:
    """Fills `samples`, or `error` for who fails; nobody's failure ends the others'."""

    def attempt(timed: Timed[Inputs], step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            timed.error = describe_error(error)
            device.release_memory()

    for timed in contestants:
        attempt(timed, lambda: _warm_up(device, timed, inputs, options))
    for number in range(options.rounds):
        for position in range(len(contestants)):
            # Another one begins each round: who follows whom matters to caches and clocks.
            timed = contestants[(position + number) % len(contestants)]
            slow = timed.samples and min(timed.samples) > options.slow_seconds
            if timed.error or (slow and number >= options.slow_rounds):
                continue
            attempt(timed, lambda: _run_round(device, timed, inputs, number, options))


def summarise(samples: Sequence[float]) -> dict[str, Any]:
    """Median, extremes and quartiles, in seconds."""
    ordered = sorted(samples)
    count = len(ordered)
    return {
        "seconds": statistics.median(ordered),
        "fastest": ordered[0],
        "slowest": ordered[-1],
        "quartiles": [ordered[count // 4], ordered[(3 * count) // 4]],
        "samples": count,
    }
