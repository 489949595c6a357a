"""What the benchmark asks of a device: time, memory, its name. All that only CUDA has
stands here, so that the rest runs on a CPU as well.
"""

import contextlib
import dataclasses
import datetime
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch

Call = Callable[[], object]

# While the GPU waits this long, the CPU puts a burst of calls on the stream.
MAX_SLEEP_SECONDS = 0.05
# More than any second-level cache holds.
FLUSH_BYTES = 256 << 20

QUERIES = ("driver_version", "clocks.sm", "clocks.mem", "clocks.max.sm", "power.draw",
           "power.limit", "temperature.gpu")


@dataclasses.dataclass(frozen=True)
class Burst:
    """Seconds of each call, and whether all were there before the first began: else
    the time of short ones is that of the CPU."""

    seconds: list[float]
    was_ahead: bool


class Device(Protocol):
    torch_device: torch.device
    l2_bytes: int

    def synchronize(self) -> None: ...

    def time_calls(self, calls: Sequence[Call], cpu_seconds: float, flush: bool) -> Burst:
        """Times each call on the device, all put on the stream at once.
        `cpu_seconds` is about what putting one there takes."""
        ...

    def free_bytes(self) -> int: ...

    def release_memory(self) -> None: ...

    def describe(self) -> dict[str, Any]: ...

    def state(self) -> dict[str, str]:
        """Clocks, power and temperature at this moment."""
        ...


class CudaDevice:
    """The current GPU."""

    def __init__(self) -> None:
        self.torch_device = torch.device("cuda", torch.cuda.current_device())
        properties = torch.cuda.get_device_properties(self.torch_device)
        self.l2_bytes = properties.L2_cache_size
        self._flush_buffer: torch.Tensor | None = None
        self._cycles_per_second = self._measure_sleep()

    def _measure_sleep(self) -> float:
        """How fast the counter of torch.cuda._sleep runs, at the clock of a GPU that
        has woken up."""
        cycles = 20_000_000
        return cycles / min(self._between_events(lambda: torch.cuda._sleep(cycles))
                            for _ in range(6))

    def _between_events(self, call: Call) -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3

    def synchronize(self) -> None:
        torch.cuda.synchronize()

    def _get_flush_buffer(self) -> torch.Tensor:
        if self._flush_buffer is None:
            self._flush_buffer = torch.empty(
                FLUSH_BYTES, dtype=torch.int8, device=self.torch_device)
        return self._flush_buffer

    def time_calls(self, calls: Sequence[Call], cpu_seconds: float, flush: bool) -> Burst:
        starts = [torch.cuda.Event(enable_timing=True) for _ in calls]
        ends = [torch.cuda.Event(enable_timing=True) for _ in calls]
        flush_buffer = self._get_flush_buffer() if flush else None
        # Else events of short kernels would show the time the CPU takes.
        sleep = min(2 * cpu_seconds * len(calls) + 1e-4, MAX_SLEEP_SECONDS)
        torch.cuda._sleep(int(sleep * self._cycles_per_second))
        begin = time.perf_counter()
        for call, start, end in zip(calls, starts, ends):
            if flush_buffer is not None:
                flush_buffer.zero_()
            start.record()
            call()
            end.record()
        was_ahead = time.perf_counter() - begin < sleep
        torch.cuda.synchronize()
        seconds = [start.elapsed_time(end) / 1e3 for start, end in zip(starts, ends)]
        return Burst(seconds, was_ahead)

    def free_bytes(self) -> int:
        free, _ = torch.cuda.mem_get_info()
        return free + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()

    def release_memory(self) -> None:
        with contextlib.suppress(RuntimeError):  # of a GPU that is lost
            torch.cuda.empty_cache()

    def describe(self) -> dict[str, Any]:
        properties = torch.cuda.get_device_properties(self.torch_device)
        state = self.state()
        return {
            "name": properties.name,
            "capability": f"{properties.major}.{properties.minor}",
            "multiprocessors": properties.multi_processor_count,
            "memory_bytes": properties.total_memory,
            "l2_bytes": self.l2_bytes,
            "driver": state.get("driver_version"),
            "state_at_start": state,
        }

    def state(self) -> dict[str, str]:
        if not shutil.which("nvidia-smi"):
            return {}
        # torch may number devices in another order than nvidia-smi; its UUID is the same.
        properties = torch.cuda.get_device_properties(self.torch_device)
        uuid = str(properties.uuid).removeprefix("GPU-")
        done = subprocess.run(
            ["nvidia-smi", f"--id=GPU-{uuid}", f"--query-gpu={','.join(QUERIES)}",
             "--format=csv,noheader"], capture_output=True, text=True)
        values = [value.strip() for value in done.stdout.strip().split(",")]
        return dict(zip(QUERIES, values)) if len(values) == len(QUERIES) else {}


class CpuDevice:
    """This processor, for tests of the benchmark itself."""

    def __init__(self) -> None:
        self.torch_device = torch.device("cpu")
        self.l2_bytes = 1 << 16

    def synchronize(self) -> None:
        pass

    def time_calls(self, calls: Sequence[Call], cpu_seconds: float, flush: bool) -> Burst:
        seconds = []
        for call in calls:
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        return Burst(seconds, was_ahead=True)

    def free_bytes(self) -> int:
        return 1 << 30

    def release_memory(self) -> None:
        pass

    def describe(self) -> dict[str, Any]:
        return {"name": platform.processor() or platform.machine(), "capability": "cpu"}

    def state(self) -> dict[str, str]:
        return {}


def versions() -> dict[str, str | None]:
    """Of everything that a figure may depend on; None for what is not there."""
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": str(torch.backends.cudnn.version() or "") or None,
    }
    for name in ("triton", "transformers", "sparse_attn"):
        try:
            found[name] = getattr(__import__(name), "__version__", "unknown")
        except Exception:  # broken installations fail in many ways
            found[name] = None
    return found


def today() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
