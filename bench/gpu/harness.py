"""Runs items one after another and survives them.

Kernels that never ran on hardware may fault, and a fault ends a process' use of the
GPU; they may hang, and then no call returns. So items run in a child process. The
parent watches it, writes down which item ended it, and starts another for the rest.
"""

import contextlib
import dataclasses
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from packages import BenchError
from store import Current, Store

# The child's exit code when the GPU takes no more work from it.
DEVICE_LOST = 3
MAX_RESTARTS = 30


@dataclasses.dataclass(frozen=True)
class Item:
    """One unit of work: its result under a key."""

    key: str
    run: Callable[[], dict[str, Any]]
    limit: float  # in seconds, after which it hangs
    # What it runs of ours. Where that has cost a process, the rest is left out.
    group: str


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeoutError between two steps of Python code. A call into a library
    that does not return is the parent's business."""

    def expire(signum: int, frame: Any) -> None:
        raise TimeoutError(f"took more than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def lost_by(group: str, store: Store) -> str | None:
    """The item of this group that has ended a process, or its use of the GPU."""
    return next((key for key, result in store.items.items()
                 if result.get("group") == group and
                 (result.get("device_lost") or result.get("process_lost"))), None)


def work(items: Sequence[Item], store: Store, deadline: float,
         is_alive: Callable[[], bool], describe_error: Callable[[Exception], str]) -> int:
    """The child: runs what has no result yet, while there is time. Its exit code."""
    durations: list[float] = []
    for item in items:
        if item.key in store.items:
            continue
        if culprit := lost_by(item.group, store):
            store.add(item.key, {"group": item.group, "error": f"left out after {culprit}"})
            continue
        # The next may take as long as the longest of the last few.
        if time.time() + max(durations[-5:], default=0) > deadline:
            break
        store.set_current(Current(item.key, item.group, time.time() + item.limit))
        start = time.time()
        try:
            result = item.run()
        except Exception as error:
            result = {"error": describe_error(error)}
        alive = is_alive()
        if not alive:
            result["device_lost"] = True
        durations.append(time.time() - start)
        result |= {"group": item.group, "wall_seconds": round(durations[-1], 3)}
        store.add(item.key, result)
        store.set_current(None)
        if not alive:
            print("the GPU was lost to this process; going on in another", flush=True)
            return DEVICE_LOST
    store.document["not_run"] = [i.key for i in items if i.key not in store.items]
    store.save()
    return 0


def _watch(child: subprocess.Popen[bytes], path: pathlib.Path,
           deadline: float) -> str | None:
    """Waits for the child; ends it, and says why, where it is over a limit."""
    store = Store(path, {})
    while child.poll() is None:
        time.sleep(0.05)
        current = store.current()
        if time.time() > deadline:
            reason = "budget"
        elif current and time.time() > current.end:
            reason = "did not end within its time"
        else:
            continue
        child.kill()
        child.wait()
        return reason
    return None


def supervise(command: Sequence[str], path: pathlib.Path, budget: float) -> int:
    """The parent. `command` and a deadline start the child; results are in `path`.
    Returns how often a child had to be replaced."""
    deadline = time.time() + budget
    for restart in range(MAX_RESTARTS):
        child = subprocess.Popen([*command, f"--deadline={deadline}"])
        try:
            reason = _watch(child, path, deadline)
        except BaseException:
            child.kill()
            raise
        if child.returncode == 0:
            return restart
        store = Store.load(path)
        current = store.current()
        store.set_current(None)
        if reason == "budget":
            print("the budget is spent; the item in work is left out", flush=True)
            return restart
        if current is None and child.returncode == DEVICE_LOST:
            continue
        if current is None:
            raise BenchError(f"the measuring process ended with code {child.returncode}"
                             " outside of any item; its messages are above")
        error = reason or f"ended the process with code {child.returncode}"
        print(f"{current.key}: {error}", file=sys.stderr, flush=True)
        store.add(current.key, {"error": error, "process_lost": True, "group": current.group})
    raise BenchError(f"{MAX_RESTARTS} processes were lost; the results so far are in {path}")
