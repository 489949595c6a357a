"""What only a GPU runs, against a double of torch.cuda that knows its signatures."""

import subprocess
import types
from unittest import mock

import pytest
import torch
from devices import QUERIES, CpuDevice, CudaDevice, versions

CYCLES_PER_SECOND = 2e9
LAUNCH_SECONDS, KERNEL_SECONDS = 5e-6, 40e-6


class FakeGpu:
    """A stream on which time passes: what is put there begins when the GPU is free, or
    when the CPU has put it there."""

    def __init__(self):
        self.cpu = self.gpu = 0.0
        self.sleeps = []

    def launch(self, seconds, cpu=LAUNCH_SECONDS):
        self.cpu += cpu
        self.gpu = max(self.gpu, self.cpu) + seconds

    def sleep(self, cycles):
        assert isinstance(cycles, int)
        self.sleeps.append(cycles)
        self.launch(cycles / CYCLES_PER_SECOND)

    def synchronize(self, device=None):
        self.cpu = max(self.cpu, self.gpu)


@pytest.fixture
def gpu(monkeypatch):
    """torch.cuda with that GPU; names and signatures are those of the real one."""
    fake = FakeGpu()

    class Event:
        def __init__(self, enable_timing=False, blocking=False, interprocess=False):
            assert enable_timing

        def record(self, stream=None):
            fake.cpu += 1e-6
            self.at = max(fake.gpu, fake.cpu)

        def synchronize(self):
            fake.synchronize()

        def elapsed_time(self, end):
            return (end.at - self.at) * 1e3

    for name in ("record", "synchronize", "elapsed_time"):
        assert hasattr(torch.cuda.Event, name)
    properties = types.SimpleNamespace(
        name="Fake H100", major=9, minor=0, multi_processor_count=132,
        total_memory=80 << 30, L2_cache_size=50 << 20, uuid="1234-5678")
    doubles = {
        "Event": Event, "_sleep": fake.sleep, "synchronize": fake.synchronize,
        "current_device": lambda: 0, "get_device_properties": lambda device: properties,
        "mem_get_info": lambda device=None: (70 << 30, 80 << 30),
        "memory_reserved": lambda device=None: 5 << 30,
        "memory_allocated": lambda device=None: 2 << 30,
        "empty_cache": lambda: None,
    }
    for name, double in doubles.items():
        assert hasattr(torch.cuda, name), f"torch.cuda has no {name}"
        monkeypatch.setattr(torch.cuda, name, double)
    monkeypatch.setattr("devices.time.perf_counter", lambda: fake.cpu)
    # There is no memory of a GPU to flush.
    monkeypatch.setattr("devices.torch.empty", lambda *_, **__: types.SimpleNamespace(
        zero_=lambda: fake.launch(80e-6)))
    return fake


def test_calls_are_timed_without_the_cpus_part(gpu):
    """Launching takes a fifth of the kernel's time; the sleep before hides it."""
    burst = CudaDevice().time_calls(
        [lambda: gpu.launch(KERNEL_SECONDS)] * 20, LAUNCH_SECONDS, flush=False)
    assert len(burst.seconds) == 20 and burst.was_ahead
    assert burst.seconds == pytest.approx([KERNEL_SECONDS] * 20)


def test_a_burst_that_outlasts_the_sleep_is_marked(gpu):
    slow = lambda: gpu.launch(1e-6, cpu=5e-3)
    burst = CudaDevice().time_calls([slow] * 20, 1e-6, flush=False)
    assert not burst.was_ahead and max(burst.seconds) > 4e-3


def test_sleeps_are_bounded(gpu):
    CudaDevice().time_calls([lambda: None] * 20, 10.0, flush=False)
    assert gpu.sleeps[-1] <= 0.051 * CYCLES_PER_SECOND


def test_flushing_is_not_timed(gpu):
    burst = CudaDevice().time_calls(
        [lambda: gpu.launch(KERNEL_SECONDS)] * 3, LAUNCH_SECONDS, flush=True)
    assert burst.seconds == pytest.approx([KERNEL_SECONDS] * 3)


def test_memory_counts_what_the_allocator_holds(gpu):
    assert CudaDevice().free_bytes() == 73 << 30


def test_description_has_the_drivers_words(gpu, monkeypatch):
    asked = []

    def smi(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, stdout=", ".join(
            f"v{n}" for n in range(len(QUERIES))) + "\n")

    monkeypatch.setattr("devices.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("devices.subprocess.run", smi)
    device = CudaDevice()
    found = device.describe()
    assert found["name"] == "Fake H100" and found["capability"] == "9.0"
    assert found["driver"] == "v0" and found["state_at_start"]["clocks.sm"] == "v1"
    assert "--id=GPU-1234-5678" in asked[0]
    monkeypatch.setattr("devices.shutil.which", lambda name: None)
    assert device.state() == {} and device.describe()["driver"] is None


def test_releasing_memory_of_a_lost_gpu_raises_nothing(gpu, monkeypatch):
    def lost():
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    device = CudaDevice()
    monkeypatch.setattr(torch.cuda, "empty_cache", lost)
    device.release_memory()


def test_graphs_are_captured_and_replayed(gpu, monkeypatch):
    from overhead import GRAPH_CALLS, graph_seconds_per_call

    captured = []

    class Graph:
        def replay(self):
            gpu.launch(len(captured) * KERNEL_SECONDS)

    class Capture:
        def __init__(self, graph, pool=None, stream=None):
            assert isinstance(graph, Graph)

        def __enter__(self):
            captured.clear()

        def __exit__(self, *_):
            pass

    stream = mock.MagicMock()
    for name, double in {"CUDAGraph": Graph, "graph": Capture, "Stream": lambda: stream,
                         "current_stream": lambda device=None: stream,
                         "stream": lambda s: mock.MagicMock()}.items():
        assert hasattr(torch.cuda, name)
        monkeypatch.setattr(torch.cuda, name, double)
    seconds = graph_seconds_per_call(lambda: captured.append(1))
    assert len(captured) == GRAPH_CALLS
    assert seconds == pytest.approx(KERNEL_SECONDS, rel=0.02)


def test_versions_name_what_is_missing():
    found = versions()
    assert found["torch"] == torch.__version__
    assert {"triton", "transformers", "sparse_attn", "cudnn"} <= found.keys()


def test_cpu_times_calls():
    burst = CpuDevice().time_calls([lambda: None, lambda: None], 0, False)
    assert len(burst.seconds) == 2 and burst.was_ahead
