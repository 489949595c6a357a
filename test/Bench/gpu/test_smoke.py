"""The whole way at tiny sizes, without a GPU: packages, checks, cases, results, plots,
report; peers by PyTorch on the CPU.

With the Python package, ours is all that a GPU will run but the driver: the library that
travels, the packages, the Python package, on this CPU. Else it is sparse-attn-run.
"""

import json
import pathlib
import subprocess
import sys

import conftest
import pytest
import run
import torch
from documents import load_documents

BENCH = pathlib.Path(run.__file__).parent
MODE = "package" if conftest.HAS_PYTHON_PACKAGE else "cpu"


def start(script, packages, build_tree, output, *more):
    command = [sys.executable, str(BENCH / script), f"--packages={packages}",
               f"--output={output}", f"--tool={build_tree / 'bin' / 'sparse-attn-run'}", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def measured(small_packages, tmp_path_factory):
    output = tmp_path_factory.mktemp("results") / "gpu.json"
    done = start("run.py", small_packages, conftest.BUILD, output, f"--smoke={MODE}")
    assert done.returncode == 0, done.stdout + done.stderr
    return output, done


def test_everything_is_measured_and_right(measured, small_packages):
    path, done = measured
    content = json.loads(path.read_text())
    assert content["smoke"] == MODE and content["not_run"] == []
    assert content["versions"]["torch"]
    assert content["commands"] == [
        f"python3 bench/gpu/run.py --packages={small_packages.name} --output=gpu.json"
        f" --tool=sparse-attn-run --smoke={MODE}"]
    assert content["build"]["target"] == conftest.TARGETS
    assert bool(content["versions"]["sparse_attn"]) == (MODE == "package")
    kinds = [key.split("/")[0] for key in content["items"]]
    assert kinds == ["check"] * 6 + ["overhead"] * 3 + ["case"] * 5
    for key, item in content["items"].items():
        assert "error" not in item, key
        assert item.get("passed", True) and item["wall_seconds"] > 0
        if item["kind"] == "overhead":
            assert item["contestants"]["ours"]["same_result_after"]
            assert item["contestants"]["ours"]["cpu_seconds_per_call"] > 0
        for name, result in item.get("contestants", {}).items():
            if not name.startswith("sdpa_cudnn"):  # which no CPU has
                assert "error" not in result or "not offered" in result["error"], (key, name)
    assert "6 checks passed" in done.stdout


def test_contestants_are_checked_against_their_own_masks(measured):
    path, _ = measured
    cases = load_documents(path.parent)[0].items("case")
    by_pattern = {(case["pattern"], case["key_heads"]): case["contestants"] for case in cases}
    causal = by_pattern["causal", 2]
    assert causal["sdpa_flash_causal"]["mask"] == "causal"
    assert causal["sdpa_flash"]["mask"] == "dense"
    expected = {"ours", "sdpa_cudnn", "sdpa_cudnn_causal", "sdpa_flash", "sdpa_flash_causal",
                "sdpa_math", "sdpa_math_causal", "flex"}
    assert causal.keys() == expected
    for contestants in by_pattern.values():
        assert contestants["ours"]["within_goal"] and contestants["ours"]["times_ours"] == 1
        assert contestants["ours"]["memory_errors"] == []
        for name, result in contestants.items():
            if "seconds" in result:
                assert result["agrees"] and result["samples"] >= 2, name
                assert result["times_ours"] > 0 and result["useful_tflops"] > 0
        assert contestants["flex"]["block_mask_first_seconds"] > 0
        error = contestants["sdpa_cudnn"]["error"]
        assert error.startswith("RuntimeError: ")


def test_hugging_faces_layers_compute_our_masks(measured):
    path, _ = measured
    cases = load_documents(path.parent)[0].items("case")
    by_pattern = {(case["pattern"], case["key_heads"]): case["contestants"] for case in cases}
    for pattern in ("longformer", "bigbird"):
        result = by_pattern[pattern, 2][f"hf_{pattern}"]
        assert result["agrees"] and result["seconds"] > 0
        error = by_pattern[pattern, 1][f"hf_{pattern}"]["error"]
        assert error == "not offered: the layer has as many heads of keys as of queries"


def test_resuming_adds_nothing_that_is_there(measured, small_packages, build_tree):
    path, _ = measured
    before = json.loads(path.read_text())
    done = start("run.py", small_packages, build_tree, path, f"--smoke={MODE}",
                 "--resume")
    assert done.returncode == 0, done.stderr
    after = json.loads(path.read_text())
    assert after["items"] == before["items"] and len(after["commands"]) == 2


def test_resuming_with_other_packages_is_refused(measured, tmp_path, small_packages, build_tree):
    path, _ = measured
    content = json.loads(path.read_text())
    content["build"]["manifest_sha256"] = "other"
    (tmp_path / "gpu.json").write_text(json.dumps(content))
    done = start("run.py", small_packages, build_tree, tmp_path / "gpu.json", "--smoke=cpu",
                 "--resume")
    assert done.returncode == 2 and "is of other packages; run without --resume" in done.stderr


def test_figures_of_two_devices_are_kept_apart(measured, tmp_path, small_packages, build_tree):
    path, _ = measured
    content = json.loads(path.read_text())
    content["device"]["name"] = "Another"
    (tmp_path / "gpu.json").write_text(json.dumps(content))
    done = start("run.py", small_packages, build_tree, tmp_path / "gpu.json",
                 f"--smoke={MODE}", "--resume")
    assert done.returncode == 2
    assert "is from Another; figures of two devices do not go into one file" in done.stderr


def test_report_and_plots(measured, tmp_path):
    import plot
    import report

    path, _ = measured
    plots = tmp_path / "plots"
    assert plot.main([f"--results={path.parent}", f"--output={plots}"]) == 0
    assert len(list(plots.glob("*.png"))) == 2  # plain and grouped heads
    arguments = [f"--results={path.parent}", f"--output={tmp_path / 'P.md'}", f"--plots={plots}"]
    assert report.main(arguments) == 0
    text = (tmp_path / "P.md").read_text()
    assert "these figures mean nothing" in text and "6 of 6 passed" in text
    assert "| BigBird 16/3/2 | 256 |" in text and "plots/gpu-bf16-d32-h2-kv2.png" in text
    assert "**wrong**" not in text
    assert report.main([*arguments, "--check"]) == 0


def test_kernels_in_the_emulator_pass_the_checks(small_packages, build_tree, tmp_path):
    done = start("run.py", small_packages, build_tree, tmp_path / "r.json",
                 "--smoke=emulator", "--check-only")
    assert done.returncode == 0, done.stdout + done.stderr
    items = json.loads((tmp_path / "r.json").read_text())["items"]
    assert len(items) == 6 and all(item["passed"] for item in items.values())


def test_variants_are_compared_with_the_compilers_choice(small_packages, build_tree, tmp_path):
    import report

    output = tmp_path / "gpu_variants.json"
    done = start("variants.py", small_packages, build_tree, output, "--smoke=cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    sweep, = json.loads(output.read_text())["items"].values()
    contestants = sweep["contestants"]
    assert list(contestants) == ["compiler's choice", "q 64, k 32, warps 4, stages 2",
                                 "sdpa_flash"]
    assert contestants["compiler's choice"]["times_ours"] == 1
    assert all(result["within_goal"] for result in contestants.values())
    assert report.main([f"--results={tmp_path}", f"--output={tmp_path / 'P.md'}"]) == 0
    assert "| q 64, k 32, warps 4, stages 2 |" in (tmp_path / "P.md").read_text()


@pytest.mark.parametrize("arguments, message", [
    ([], "PyTorch finds no GPU here; to try the benchmark without one, use"),
    (["--smoke=cpu", f"--output={run.RESULTS / 'x.json'}"], "results of --smoke mean nothing"),
    (["--dtypes=f8"], "unknown type f8"),
    (["--lengths=many"], "--lengths takes integers"),
    (["--packages=nowhere"], "nowhere/index.json is missing"),
    (["--smoke=cpu", "--resume"], "there are no results in"),
])
def test_wrong_use(small_packages, tmp_path, capfd, monkeypatch, arguments, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", [str(BENCH / "run.py")])
    try:
        code = run.main([f"--packages={small_packages}", f"--output={tmp_path / 'r.json'}",
                         *arguments])
    except SystemExit as error:  # of the parser
        code = error.code
    assert code == 2 and message in capfd.readouterr().err
    assert not (run.RESULTS / "x.json").exists()


def test_a_case_without_enough_memory_is_left_out(small_packages, tmp_path, capsys):
    """And that is no failure."""
    from measuring import Session
    from ours import ToolKernels
    from packages import read_index
    from peers import PeerOptions
    from store import Store
    from timing import TimingOptions
    from devices import CpuDevice

    class Small(CpuDevice):
        def free_bytes(self):
            return 1000

    arguments = [f"--packages={small_packages}", f"--output={tmp_path / 'r.json'}",
                 "--smoke=cpu", "--no-checks", "--patterns=causal"]
    args = run.parse_arguments(arguments, "")
    build = read_index(small_packages)
    session = Session(Small(), ToolKernels(build, args.tool, "cpu"), TimingOptions(),
                      PeerOptions(compile=False), 10)
    item = run.make_items(args, build, session)[-1]
    result = item.run()
    assert result == {"left_out": "needs 256.0 KiB of memory, 900.0 B may be used"}
    Store.create(args.output, {"kind": "gpu"}).add(item.key, result)
    assert run.finish(args.output) == 0
    assert "left out, needs 256.0 KiB" in capsys.readouterr().out


def test_a_wrong_kernel_fails_the_run(tmp_path):
    from store import Store

    path = tmp_path / "r.json"
    store = Store.create(path, {"kind": "gpu"})
    store.add("check/a", {"kind": "check", "passed": True})
    assert run.finish(path) == 0
    store.add("case/b", {"contestants": {"ours": {"seconds": 1.0, "within_goal": True}}})
    assert run.finish(path) == 0
    for bad in ({"kind": "check", "passed": False, "within_goal": False},
                {"kind": "check", "passed": False, "same_bits_twice": False},
                {"kind": "check", "passed": False, "memory_errors": ["writes beyond"]},
                {"error": "ended the process with code -11"},
                {"contestants": {"ours": {"seconds": 1.0, "within_goal": False}}},
                {"contestants": {"ours": {"error": "illegal memory access"}}}):
        store.add("case/c", bad)
        assert run.finish(path) == 1, bad
