"""Items that crash, hang or lose the GPU end neither the run nor its results."""

import json
import sys
import textwrap
import time

import pytest
from harness import supervise, time_limit, work
from packages import BenchError
from store import Current, Store

# A child with items of all kinds. `lost` says that the device is gone, as after a
# kernel's fault: the next process has it again.
CHILD = """\
import os, signal, sys, time
sys.path.insert(0, {bench!r})
from harness import Item, work
from store import Store
from pathlib import Path

lost = False

def good():
    print("good", flush=True)
    return {{"value": 1}}

def fail():
    raise ValueError("no such kernel")

def crash():
    os.kill(os.getpid(), signal.SIGSEGV)

def hang():
    time.sleep(60)

def stay():
    time.sleep(60)

def lose():
    global lost
    lost = True
    raise RuntimeError("illegal memory access")

kinds = dict(good=good, fail=fail, crash=crash, hang=hang, stay=stay, lose=lose)
limit = lambda name: 100 if name.startswith("stay") else 1
items = [Item(name, kinds[name.split("-")[0]], limit(name), name.split("/")[-1])
         for name in sys.argv[2].split(",")]
sys.exit(work(items, Store.load(Path(sys.argv[1])), float(sys.argv[3].split("=")[1]),
              lambda: not lost, str))
"""


@pytest.fixture
def run_items(tmp_path):
    import harness
    import pathlib

    script, path = tmp_path / "child.py", tmp_path / "results.json"
    bench = str(pathlib.Path(harness.__file__).parent)
    script.write_text(textwrap.dedent(CHILD).format(bench=bench))

    def run(names, budget=60.0, resume=False):
        if not resume:
            Store.create(path, {"kind": "test"})
        restarts = supervise([sys.executable, str(script), str(path), names], path, budget)
        return Store.load(path), restarts

    return run


def test_errors_and_crashes_are_results(run_items):
    store, restarts = run_items("good-1/a,fail-1/b,crash-1/c,lose-1/d,good-2/e")
    items = store.items
    assert items["good-1/a"]["value"] == 1 and items["good-2/e"]["value"] == 1
    assert items["fail-1/b"]["error"] == "no such kernel"
    assert items["crash-1/c"]["error"] == "ended the process with code -11"
    assert items["lose-1/d"]["error"] == "illegal memory access"
    assert items["lose-1/d"]["device_lost"]
    assert restarts == 2 and store.document["not_run"] == []


def test_a_hanging_item_is_ended_after_its_limit(run_items):
    store, restarts = run_items("hang-1/a,good-1/b")
    assert restarts == 1
    assert store.items["hang-1/a"]["error"] == "did not end within its time"
    assert store.items["good-1/b"]["value"] == 1


def test_what_lost_a_process_is_not_run_again(run_items):
    store, _ = run_items("crash-1/f,good-1/g,good-2/f,lose-1/h,good-3/h")
    assert store.items["good-2/f"]["error"] == "left out after crash-1/f"
    assert store.items["good-3/h"]["error"] == "left out after lose-1/h"
    assert store.items["good-1/g"]["value"] == 1


def test_the_budget_ends_a_run_between_items_or_in_one(run_items):
    store, _ = run_items("good-1/a,stay-1/b", budget=8)
    assert list(store.items) == ["good-1/a"]
    store, restarts = run_items("good-1/a,good-2/b", budget=-1)
    assert store.items == {} and restarts == 0


def test_resuming_runs_what_is_left(run_items, capfd):
    run_items("good-1/a")
    assert capfd.readouterr().out.count("good") == 1
    store, _ = run_items("good-1/a,good-2/b", resume=True)
    assert capfd.readouterr().out.count("good") == 1
    assert list(store.items) == ["good-1/a", "good-2/b"]


def test_a_child_that_cannot_start_is_an_error(tmp_path):
    path = tmp_path / "results.json"
    Store.create(path, {})
    with pytest.raises(BenchError, match="ended with code 7 outside of any item"):
        supervise([sys.executable, "-c", "import sys; sys.exit(7)"], path, 20)


def test_a_device_that_is_always_lost_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.MAX_RESTARTS", 2)
    path = tmp_path / "results.json"
    Store.create(path, {})
    with pytest.raises(BenchError, match="2 processes were lost"):
        supervise([sys.executable, "-c", "import sys; sys.exit(3)"], path, 20)


def test_items_left_for_lack_of_time_are_listed(tmp_path):
    from harness import Item

    store = Store.create(tmp_path / "r.json", {})
    items = [Item("a", dict, 1, "g"), Item("b", dict, 1, "g")]
    assert work(items, store, time.time() - 1, lambda: True, str) == 0
    assert Store.load(store.path).document["not_run"] == ["a", "b"]


def test_time_limit():
    with pytest.raises(TimeoutError, match="took more than 0 s"), time_limit(0.05):
        time.sleep(5)
    with time_limit(0.05):
        pass
    time.sleep(0.1)  # its alarm is off


def test_store_keeps_current_and_rejects_other_files(tmp_path):
    path = tmp_path / "deep" / "results.json"
    store = Store.create(path, {"kind": "gpu"})
    store.set_current(Current("a", "g", 5.0))
    assert Store(path, {}).current() == Current("a", "g", 5.0)
    store.add("a", {"x": 1})
    store.set_current(None)
    assert store.current() is None and Store.load(path).items == {"a": {"x": 1}}
    assert sorted(p.name for p in path.parent.iterdir()) == ["results.json"]

    with pytest.raises(BenchError, match="no results in .*; run without --resume"):
        Store.load(tmp_path / "none.json")
    path.write_text("{")
    with pytest.raises(BenchError, match="cannot be read"):
        Store.load(path)
    path.write_text(json.dumps({"schema": 99}))
    with pytest.raises(BenchError, match="has not the schema 1"):
        Store.load(path)
    path.write_text("[]")
    with pytest.raises(BenchError, match="has not the schema 1"):
        Store.load(path)
