"""docs/Performance.md says what the results say."""

import json

import pytest
import report
from documents import RESULTS, Document, by_shape, load_documents
from packages import BenchError
from plot import draw_all, plots_of


def test_page_is_up_to_date():
    assert report.main(["--check"]) == 0


def test_page_says_that_no_gpu_was_measured():
    """Until results of one are there."""
    text = report.render(load_documents(RESULTS), "performance")
    measured = any(document.kind == "gpu" for document in load_documents(RESULTS))
    assert ("There is no measurement on a GPU yet" in text) != measured


def test_no_results_of_a_try_are_kept():
    assert not any(document.content.get("smoke") for document in load_documents(RESULTS))


def case(pattern, n, contestants, **more):
    return {"kind": "case", "pattern": pattern, "title": pattern, "n": n, "dtype": "bf16",
            "head_size": 64, "heads": 32, "key_heads": 32, "density": 0.25,
            "contestants": contestants, **more}


def timed(seconds, **more):
    return {"seconds": seconds, "useful_tflops": 100.0, "agrees": True, "within_goal": True,
            **more}


@pytest.fixture
def document():
    flex = timed(2e-3, block_mask_seconds=0.25, block_mask_first_seconds=9.0)
    items = {
        "check/a": {"kind": "check", "function": "a", "n": 97, "passed": False,
                    "max_abs_error": 0.5, "eager_max_abs_error": 0.01,
                    "memory_errors": ["writes beyond the output"]},
        "overhead/a": case("causal", 1024, {
            "ours": {"cpu_seconds_per_call": 6.5e-6, "graph_seconds_per_call": 4e-6},
            "flex": {"error": "broken"}}) | {"kind": "overhead"},
        "case/1": case("longformer", 4096, {
            "ours": timed(1e-3), "flex": flex, "sdpa_flash": timed(5e-3),
            "sdpa_cudnn": timed(4e-3), "hf_longformer": {"error": "out of memory"}}),
        "case/2": case("causal", 4096, {
            "ours": timed(1e-3, within_goal=False), "flex": timed(3e-3, agrees=False),
            "sdpa_flash_causal": timed(1.1e-3)}),
        "case/3": case("causal", 65536, {"ours": {"error": "illegal memory access"}}),
        "case/6": {"left_out": "needs 99.0 GiB of memory"},
        "case/4": {"error": "did not end within its time", "process_lost": True},
    }
    return Document("gpu-test", {
        "schema": 1, "kind": "gpu", "date": "today", "commands": ["python3 run.py"],
        "device": {"name": "Card", "driver": "580", "state_at_start": {"clocks.sm": "1980 MHz"}},
        "versions": {"torch": "2.11", "triton": None}, "build": {"commit": "abc", "target": "t"},
        "items": items, "not_run": ["case/5"]})


def test_tables_show_the_fastest_peer_and_what_is_wrong(document):
    text = report.render([document], "plots")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert ("| longformer | 4096 | 25.00% | 1.000 | 100 | 2.000 | 2.00 | 4.000 cudnn | 4.00 | |"
            " | failed | |") in rows
    assert any(row.startswith("| causal | 4096 | 25.00% | 1.000 **wrong** | 100 | 3.000 **wrong**"
                              " | 3.00 | | | 1.100 flash | 1.10 |") for row in rows)
    assert any("| causal | 65536 | 25.00% | illegal memory access |" in row for row in rows)
    head = next(line for line in rows if line.startswith("| pattern"))
    assert all(row.count("|") == head.count("|") for row in rows if "25.00%" in row)
    assert "| causal | 6.5 | 4.0 |  |  |" in rows
    assert "0 of 1 passed" in text and "writes beyond the output" in text
    assert "250.0 ms, the first time, with compilation, 9.0 s" in text
    assert "- the whole item: did not end within its time (`case/4`)" in text
    assert "- hf_longformer: out of memory (`case/1`)" in text
    assert "- the whole item: left out, needs 99.0 GiB of memory (`case/6`)" in text
    assert "1 items not run" in text and "sm 1980 MHz" in text
    assert "triton" not in text and "no measurement on a GPU" not in text


def test_cases_are_in_the_order_of_the_patterns(document):
    (shape, cases), = by_shape(document.items("case")).items()
    assert [(c["pattern"], c["n"]) for c in cases] == [
        ("causal", 4096), ("causal", 65536), ("longformer", 4096)]
    assert shape.slug == "bf16-d64-h32-kv32" and shape.title == "bf16, D = 64, 32 heads"


def test_plots_are_drawn_where_the_report_links_them(document, tmp_path):
    drawn = draw_all([document, *load_documents(RESULTS)], tmp_path)
    names = [name for d in [document, *load_documents(RESULTS)] for name in plots_of(d)]
    assert sorted(path.name for path in drawn) == sorted(names)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
    text = report.render([document], "plots")
    assert "![gpu-test-bf16-d64-h32-kv32](plots/gpu-test-bf16-d64-h32-kv32.png)" in text


def test_variants_are_sorted_by_time():
    contestants = {"compiler's choice": timed(2e-3, times_ours=1.0),
                   "q 64": timed(1e-3, times_ours=0.5, resources="99 registers"),
                   "q 256": {"error": "too large"}}
    document = Document("v", {
        "kind": "gpu_variants", "date": "today", "commands": ["c"], "build": {},
        "items": {"variants/1": case("causal", 4096, contestants) | {"kind": "variants"}}})
    rows = [line for line in report.render([document], "p").splitlines() if line[:2] == "| "]
    assert rows[1:4] == ["| q 64 | 1.000 | 100 | 0.50 | 99 registers |",
                         "| compiler's choice | 2.000 | 100 | 1.00 |  |",
                         "| q 256 | too large | | | |"]


def test_an_old_page_and_a_missing_plot_are_found(tmp_path, capsys):
    (tmp_path / "r").mkdir()
    content = json.loads((RESULTS / "cpu_linear.json").read_text())
    (tmp_path / "r" / "cpu_linear.json").write_text(json.dumps(content))
    arguments = [f"--results={tmp_path / 'r'}", f"--output={tmp_path / 'P.md'}",
                 f"--plots={tmp_path}"]
    assert report.main(arguments) == 0
    assert report.main([*arguments, "--check"]) == 1
    assert "not up to date" in (error := capsys.readouterr().err) and "cpu_linear.png" in error
    (tmp_path / "cpu_linear.png").touch()
    assert report.main([*arguments, "--check"]) == 0
    content["window"]["slope"] += 1
    (tmp_path / "r" / "cpu_linear.json").write_text(json.dumps(content))
    assert report.main([*arguments, "--check"]) == 1


def test_broken_results_are_named(tmp_path, capsys):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(BenchError, match="a.json is no JSON"):
        load_documents(tmp_path)
    assert report.main([f"--results={tmp_path}"]) == 2
    import plot

    assert plot.main([f"--results={tmp_path}", f"--output={tmp_path}"]) == 2
    assert capsys.readouterr().err.count("is no JSON") == 2
