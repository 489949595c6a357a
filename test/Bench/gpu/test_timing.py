"""Interleaving and statistics, on a device whose time is made up."""

import pytest
from devices import Burst
from timing import Timed, TimingOptions, measure, summarise


class FakeDevice:
    """Each call takes the seconds that it returns."""

    def __init__(self, ahead=True):
        self.ahead, self.flushes, self.releases = ahead, [], 0

    def synchronize(self):
        pass

    def release_memory(self):
        self.releases += 1

    def time_calls(self, calls, cpu_seconds, flush):
        self.flushes.append(flush)
        return Burst([call() for call in calls], self.ahead)


def contestant(name, seconds, log):
    def call(inputs):
        log.append((name, inputs))
        return seconds

    return Timed(name, call)


OPTIONS = TimingOptions(rounds=4, round_seconds=0.01, burst=5, warm_ups=2)


def run(device, contestants, inputs=(0, 1, 2), options=OPTIONS):
    measure(device, contestants, inputs, options, str)


def test_every_round_has_everybody_in_another_order():
    log = []
    field = [contestant(name, 0.01, log) for name in "abc"]
    run(FakeDevice(), field)
    rounds = log[3 * 3:]  # after two warm-ups and one call to find the burst
    names = ["".join(name for name, _ in rounds[i:i + 3]) for i in range(0, 12, 3)]
    assert names == ["abc", "bca", "cab", "abc"]
    assert all(len(timed.samples) == 4 for timed in field)


def test_bursts_fill_a_round_and_rotate_inputs():
    log = []
    short = contestant("short", 0.003, log)
    run(FakeDevice(), [short])
    assert short.burst == 3 and len(short.samples) == 12
    used = [inputs for _, inputs in log[3:]]
    assert all(a != b for a, b in zip(used, used[1:]))
    tiny = contestant("tiny", 1e-6, log)
    run(FakeDevice(), [tiny])
    assert tiny.burst == 5


def test_slow_ones_leave_early():
    slow, fast = contestant("slow", 0.6, []), contestant("fast", 0.01, [])
    run(FakeDevice(), [slow, fast])
    assert len(slow.samples) == 3 and len(fast.samples) == 4


def test_a_failure_is_its_own():
    def fail(inputs):
        raise RuntimeError("no kernel")

    bad, good = Timed("bad", fail), contestant("good", 0.01, [])
    device = FakeDevice()
    run(device, [bad, good])
    assert bad.error == "no kernel" and not bad.samples
    assert good.error is None and len(good.samples) == 4
    assert device.releases == 1


def test_a_late_failure_ends_only_its_own_rounds():
    log = []

    def call(inputs):
        log.append(inputs)
        if len(log) > 5:
            raise RuntimeError("out of memory")
        return 0.01

    bad, good = Timed("bad", call), contestant("good", 0.01, [])
    run(FakeDevice(), [bad, good])
    assert bad.error == "out of memory" and len(log) == 6 and len(good.samples) == 4


def test_flush_and_late_bursts_are_recorded():
    device = FakeDevice(ahead=False)
    timed = contestant("a", 0.01, [])
    run(device, [timed], options=TimingOptions(rounds=2, flush=True))
    assert device.flushes == [False, True, True] and timed.late_bursts == 2


def test_statistics():
    found = summarise([5.0, 1.0, 2.0, 4.0, 30.0])
    assert found == {"seconds": 4.0, "fastest": 1.0, "slowest": 30.0,
                     "quartiles": [2.0, 5.0], "samples": 5}
    assert summarise([2.0, 4.0])["seconds"] == pytest.approx(3.0)
