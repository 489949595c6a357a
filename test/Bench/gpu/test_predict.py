"""Predictions: how blocks are dealt out, what the file of results has, what the page says."""

import dataclasses
import json
import shutil

import predict
import predicted_peers
import prediction
import prediction_report
import pytest
import report
from dealing import dealt_out
from documents import RESULTS, Document
from launches import Package, Sizes
from packages import BenchError, Function
from patterns import PATTERNS
from predicted_cases import DOCUMENTS, GOALS, MAIN_HEAD_SIZES, predicted_cases
from prediction import BodyReplay, LoopReplay, mean_trips
from replay import ablation, rates
from replay.flow import Loop, Work

HAS_TOOLS = all(shutil.which(name, path=str(predict.CUDA_TOOLS)) or shutil.which(name)
                for name in ("nvdisasm", "ptxas"))


def test_blocks_start_where_others_end():
    alone = (100.0,)
    assert dealt_out([10.0] * 6, 2, alone) == 30
    assert dealt_out([10.0] * 5, 2, alone) == 30
    assert dealt_out([30.0, 10, 10, 10], 2, alone) == 30
    assert dealt_out([10.0, 10, 10, 30], 2, alone) == 40


def test_a_block_alone_gets_on_faster():
    # Two blocks take 100 cycles each of a shared multiprocessor, 150 alone.
    sharing = (150.0, 100.0)
    assert dealt_out([100.0, 100.0], 1, sharing) == pytest.approx(200)
    assert dealt_out([100.0], 1, sharing) == pytest.approx(150)
    # Both for 100 cycles, which leaves half of the second.
    assert dealt_out([50.0, 100.0], 1, sharing) == pytest.approx(100 + 75)


def loop(cycles):
    return LoopReplay(100, cycles, 1 << 20, {"tensor": 0.5}, {"tensor": 50.0, "issue": 60.0},
                      {"no jumps": 0.25})


def test_a_block_takes_its_tiles_and_a_rest():
    body = BodyReplay((2.0, 1.0), (loop(30.0), None, loop(20.0)), 5.0)
    assert body.cycles((2, 0, 3)) == 5 + 2 * 30 + 3 * 20
    assert body.cycles((0, 0, 0)) == 5
    assert mean_trips([(1, 4), (2, 9), (3, 8)]) == (2, 7)


def test_what_warps_leave_out_counts_by_what_they_compute():
    masked, plain, none = Work.MASKED, Work.PLAIN, Work.NONE
    all_of, half = ((masked, masked),) * 2, ((masked, plain), (masked, none))
    edges = dataclasses.replace(loop(30.0), runs={half: 50.0, all_of: 65.0})
    body = BodyReplay((2.0, 1.0), (edges, loop(20.0)), 5.0)
    assert body.cycles((2, 1), (half, ((masked, masked),))) == 5 + 50 + 20
    assert body.cycles((2, 1), (all_of, ((masked, masked),))) == 5 + 65 + 20
    assert body.cycles((3, 0)) == 5 + 3 * 30
    path = [("product", False)]
    skipping = Loop(path, 0, 0, 1, plain=[("plain", False)], skip=[("none", False)])
    assert prediction._programs(skipping, 2, 2, half) == [
        path * 2, [*skipping.plain, *skipping.skip]]
    assert prediction._programs(Loop(path, 0, 0, 1), 2, 2, half) == [path * 2] * 2
    with pytest.raises(BenchError, match="a loop of 4 warps is known to have 2"):
        prediction._programs(skipping, 4, 2, half)


def test_loops_are_named_by_the_tiles_that_they_visit():
    named = prediction._loops_by_tile
    assert named(["a", "b"], {"partial": 0, "full": 9}) == {"partial": "a", "full": "b"}
    assert named(["a"], {"partial": 0, "full": 9}) == {"full": "a"}
    assert named(["a"], {"partial": 9, "full": 0}) == {"partial": "a"}
    assert named(["a", "b"], {"left": 1, "right": 0, "full": 9}) == {"left": "a", "full": "b"}
    assert named([], {}) == named([], {"full": 0}) == {}
    for loops, trips in ((["a"], {"partial": 1, "full": 9}), ([], {"full": 1}),
                         (["a"] * 3, {"partial": 1, "full": 1})):
        with pytest.raises(BenchError, match=f"{len(loops)} loops over tiles for {{'"):
            named(loops, trips)


@pytest.fixture
def package(tmp_path):
    """Of two launches: parts with rows, and merge."""
    function = Function(PATTERNS["longformer"], "bf16", 64)
    launches = [{"kernel": f"k_{index}", "grid": [grid, 1, 1], "block": [128, 1, 1],
                 "shared_bytes": 1024} for index, grid in enumerate((
                     "B * Hq * 4 + B * Hq * floordiv(Sq + 127, 128)",
                     "B * Hq * max(Sq - 1, 0)"))]
    program = {
        "name": function.name, "target": {"chip": "sm_90"}, "options": {"heavy-splits": 4},
        "files": [{"kind": "cubin", "name": "k.cubin"}],
        "variants": [
            {"when": "eq(Sq, Sk) * lt(B, sm_count)", "workspace": {"bytes": 0},
             "plans": [{"plan": ["tile 64 x 64", "rows 0 to nq", "  full 0 to q + 1"]}],
             "launches": [{"kernel": "square_0", "grid": ["B * Hq * floordiv(Sq, 64)", 1, 1],
                           "block": [128, 1, 1], "shared_bytes": 0}]},
            {"when": 1, "workspace": {"bytes": "B * Hq * 100"},
             "plans": [{"plan": ["tile 128 x 64", "rows 0 to nq", "  partial 0 to q + 1",
                                 "rows 0 to 1, heavy", "  full 0 to nk floordiv 64"]}],
             "launches": launches}]}
    (tmp_path / "manifest.json").write_text(json.dumps({"programs": [program]}))
    return Package.read(tmp_path, function, "sm_90")


def test_launches_are_what_plan_and_manifest_say(package):
    sizes = Sizes(2, 3, 1, 256, 512)
    joint, merge = package.launches(sizes)
    assert (joint.role, merge.role) == ("parts+rows", "merge")
    parts, rows = joint.bodies
    assert (parts.loops, rows.loops) == (("full",), ("partial",))
    assert (rows.beside, merge.bodies[0].beside) == (0, 4)
    # The later query tiles come first among heads whose keys fit half of the cache.
    keys = 512 * 2 * 64 * 2
    assert package.block_trips(joint, sizes, keys) == [[(2,)] * 24, [(2,), (1,)] * 6]
    assert package.block_trips(joint, sizes, 8 * keys)[1] == (
        [(2,)] * 2 + [(1,)] * 2 + [(2,)] * 4 + [(1,)] * 4)
    assert package.block_trips(merge, sizes, keys) == [[()] * 6 * 255]
    read, rest, space = 2 * 2 * 512 * 128, 2 * 2 * 3 * 256 * 128, 600
    assert package.moved_bytes(joint, sizes) == read + rest + space
    assert package.moved_bytes(merge, sizes) == space
    # A launch of no block is none.
    assert len(package.launches(Sizes(2, 3, 1, 1, 512))) == 1


def test_parts_run_beside_one_another_where_the_grid_has_no_room_for_all(package):
    sizes = Sizes(2, 3, 1, 256, 512)
    joint = package.launches(sizes)[0]
    assert package.beside(joint, sizes) == 1
    few = dataclasses.replace(joint, grid="B * Hq * 4 - 12 + B * Hq * floordiv(Sq + 127, 128)")
    assert package.beside(few, sizes) == 2
    assert package.block_trips(few, sizes, 1)[0] == [(2,)] * 12
    none = dataclasses.replace(joint, grid="B * Hq")
    with pytest.raises(BenchError, match="k_0 has -6 blocks for 24 parts"):
        package.beside(none, sizes)


def test_a_part_of_few_rows_may_take_a_tile_in_steps(package):
    parts, rows = package.launches(Sizes(2, 3, 1, 256, 512))[0].bodies
    # One row in 16, and 128 rows; 64 keys; two products of heads of 64.
    assert (parts.tile_fma, rows.tile_fma) == (16 * 64 * 128, 128 * 64 * 128)
    body = BodyReplay((1.0,), (loop(20.0),), 5.0, steps=2)
    assert body.cycles((3,)) == 5 + 2 * 3 * 20


def test_a_variant_is_chosen_as_by_a_launcher(package):
    square = Sizes(2, 3, 1, 256, 256)
    chosen = package.at(square, 108)
    assert [launch.kernel for launch in chosen.launches(square)] == ["square_0"]
    assert chosen.plan.classes[0].tile == (64, 64)
    assert chosen.launches(square)[0].bodies[0].loops == ("full",)
    for sizes, multiprocessors in ((Sizes(2, 3, 1, 256, 512), 108), (square, 2)):
        other = package.at(sizes, multiprocessors)
        assert other.plan.classes[0].tile == (128, 64)
        assert other.launches(sizes)[0].kernel == "k_0"
    package.program["variants"].pop()
    with pytest.raises(BenchError, match="no variant of longformer_bf16_d64 takes {'B': 2"):
        package.at(square, 2)


def test_what_a_package_lacks_is_said(package, tmp_path):
    with pytest.raises(BenchError, match="has no longformer_bf16_d64 for sm_80"):
        Package.read(tmp_path, package.function, "sm_80")
    package.program["files"].clear()
    with pytest.raises(BenchError, match="has no cubin; it takes ptxas"):
        package.cubin
    package.program["variants"][-1]["launches"].pop()
    with pytest.raises(BenchError, match="has 1 launches, its plan is known to take 2"):
        package.launches(Sizes(1, 1, 1, 1, 1))


def test_cases_have_names_of_their_own_and_their_goals():
    cases = predicted_cases()
    assert len({(case.name, case.function.head_size) for case in cases}) == len(cases)
    assert {name for goals in GOALS.values() for name in goals} <= {case.name for case in cases}
    fixed = next(case for case in cases if case.fixed)
    assert "tensor<2x32x8192x64xbf16>" in fixed.module() and "?" not in fixed.module()
    decode = next(case for case in cases if case.name == "decode")
    assert decode.useful_flops == 4 * 64 * 32 * 8192 and "tensor<?x?x?x64xbf16>" in decode.module()
    # Narrow windows have all head sizes, documents those of the main cases.
    of = {name: {case.function.head_size for case in cases if case.name == name}
          for name in ("near64", "window128", "documents64", "dense", "causal")}
    assert list(of.values()) == [{64, 96, 128}, {64, 96, 128}, {64, 128}, {64, 96, 128}, {64, 128}]
    assert all((case.sizes.heads, case.sizes.key_heads) == (32, 8) for case in cases
               if case.most_over_bound)
    documents = next(case for case in cases if case.name == "documents64")
    assert documents.fixed and documents.live_pairs == 32 * sum(n * n for n in DOCUMENTS)


def test_peers_take_more_than_their_loops():
    found = predicted_peers.describe(8192)["predicted"]
    assert len(found) == 28
    for peer in found:
        alone = peer["loops_alone_tflops"]
        assert (alone is None) == (peer["pattern"] == "longformer")
        # Up to a fifth of a window is prologue and epilogue.
        assert alone is None or 0.8 * alone < peer["useful_tflops"] < alone


@pytest.mark.parametrize("arguments, message", [
    (["--chips=A100,B200"], "unknown chip B200; there are A100, H100, H200"),
    (["--cases=dense,dance"], "unknown case dance; there are dense, causal"),
    (["--head-sizes=64,big"], "--head-sizes takes integers"),
])
def test_wrong_arguments_are_named(arguments, message, capsys):
    with pytest.raises(SystemExit):
        predict.parse_arguments(arguments)
    assert message in capsys.readouterr().err


def test_a_missing_compiler_is_named(tmp_path):
    with pytest.raises(SystemExit, match="sparse-attn-compile is missing"):
        predict.main([f"--build={tmp_path}", f"--output={tmp_path / 'p.json'}", "--cases=dense"])


@pytest.mark.skipif(not HAS_TOOLS, reason="needs nvdisasm and ptxas")
def test_a_prediction_is_written_and_shown(build_tree, tmp_path, monkeypatch):
    whole = rates.replay
    for module in (prediction, ablation):  # a few runs of each program do here
        monkeypatch.setattr(module, "replay", lambda programs, chip, blocks, *_, **__: whole(
            programs, chip, blocks, times=4, skip=1, seeds=1))
    path = tmp_path / "p.json"
    predict.main([f"--build={build_tree}", f"--output={path}", "--cases=causal,decode",
                  "--head-sizes=64", "--chips=H100,H200"])
    document = Document("p", json.loads(path.read_text()))
    assert document.kind == "gpu_predicted" and document.content["schema"] == 1
    assert document.content["build"].keys() == {"commit", "target"}
    assert document.content["versions"].keys() == {"ptxas", "nvdisasm"}
    items = document.content["items"]
    assert list(items) == [f"prediction/{chip}/{name}/bf16/d64" for name in ("causal", "decode")
                           for chip in ("H100", "H200")]
    causal = items["prediction/H100/causal/bf16/d64"]
    launch, = causal["launches"]
    assert launch["loops"]["full"]["tiles_of_all_blocks"] == 64 * sum(2 * q for q in range(64))
    assert launch["loops"]["partial"]["tiles_of_all_blocks"] == 64 * 64 * 2
    assert 0 < causal["useful_tflops"] <= causal["balanced_tflops"] < 660
    assert launch["loops"]["full"]["cycles"] >= launch["loops"]["full"]["bound_cycles"]
    # The heads of a group share a tile, whose keys are split into 32 parts, then merged in
    # slices of 8 columns.
    decode, merge = items["prediction/H200/decode/bf16/d64"]["launches"]
    assert decode["blocks"] == 8 * 32 and merge["blocks"] == 8 * 8
    assert decode["memory_seconds"] < decode["compute_seconds"]
    text = report.render([document], "plots")
    assert "## Predicted for GPUs" in text and "predicted, not measured" in text
    assert "**Predicted for H200, bf16, D = 64, 8192 tokens, 32 heads**" in text


def test_the_predictions_kept_are_possible():
    content = json.loads((RESULTS / "gpu_predicted.json").read_text())
    # Cases with bounds came later: a file has all of them, or none.
    bounded = [item for item in content["items"].values() if "most_over_bound" in item]
    cases = predicted_cases() if bounded else MAIN_CASES
    assert len(content["items"]) == 3 * len(cases)
    for item in content["items"].values():
        assert 0 < item["useful_tflops"] <= item["balanced_tflops"]
        for launch in item["launches"]:
            assert launch["cycles_beside_loops"] > 0 and 0 < launch["balance"] <= 1.001
            for loop in launch["loops"].values():
                assert loop["cycles"] >= loop["bound_cycles"]


MAIN_CASES = [case for case in predicted_cases(MAIN_HEAD_SIZES)
              if not case.most_over_bound or case.name == "decode"]


def item(**more):
    return {"kind": "prediction", "chip": "A100", "pattern": "causal", "case": "causal",
            "title": "causal", "dtype": "bf16", "head_size": 64, "batches": 2, "heads": 32,
            "key_heads": 32, "queries": 8192, "n": 8192, "sizes_known": False,
            "seconds": 2.5e-3, "useful_tflops": 187.6, "balanced_tflops": 195.2,
            "goal_tflops": 200, **more, "launches": [{
                "role": "rows", "registers": 236, "blocks_a_multiprocessor": 2, "balance": 0.96,
                "blocks": 10, "seconds": 2e-3, "cycles_beside_loops": 2000.0, "loops": {
                    "partial where j < i": {
                        "instructions": 750, "cycles": 1400.0, "bound_cycles": 1024.0,
                        "bound_by": "tensor", "tiles_of_all_blocks": 5, "gains": {"no jumps": 0.5}},
                    "partial": {"instructions": 772, "cycles": 1500.0, "bound_cycles": 1024.0,
                                "bound_by": "tensor", "tiles_of_all_blocks": 16,
                                "gains": {"no jumps": 0.5}},
                    "full": {"instructions": 624, "cycles": 1000.0, "bound_cycles": 1024.0,
                             "bound_by": "tensor", "tiles_of_all_blocks": 49,
                             "gains": {"no jumps": 0.25}}}}, {"role": "merge", "loops": {}}]}


@pytest.fixture
def document():
    return Document("gpu_predicted", {
        "schema": 1, "kind": "gpu_predicted", "date": "today", "commands": ["python3 predict.py"],
        "build": {"commit": "abc", "target": "A100"}, "versions": {"ptxas": "13.0"},
        "model": {"calibration": 0.92, "uncertainty": 0.04, "between_kernels": 0.07,
                  "assumptions": ["The moon is round."]},
        "peers": predicted_peers.describe(8192),
        "items": {"a": item(), "b": item(case="decode", title="one token", queries=1,
                                         goal_tflops=None)}})


def rows_of(text, start):
    return [line for line in text.splitlines() if line.startswith(start)]


def test_predictions_stand_beside_peers_and_goals(document):
    text = report.render([document], "plots")
    assert rows_of(text, "| causal |") == [
        "| causal | 2500 | 188 | 195 | 187 | 173 |  | 200 |  |"]
    assert rows_of(text, "| one token") == [
        "| one token, 32 heads over 32 | 2500 | 188 | 195 |  |  |  |  |  |"]
    assert rows_of(text, "| A100 | 64 | causal |") == [
        "| A100 | 64 | causal | rows | 236 | 2 | 624, 1000 | 1024 tensor"
        " | 750, 1400; 772, 1500 | 2000 | 0.96 |",
        # Of 100,000 cycles 10,000 are the masks', 20,000 beside the loops; 80% is this launch's.
        "| A100 | 64 | causal | 8% | 15% | 3% | 20% | +25% |"]
    assert "0.92 ± 0.04" in text and "about 7%" in text and "- The moon is round." in text
    assert "python3 predict.py" in text and "Kernels of abc,\nptxas 13.0, today" in text
    dense = item(case="dense", pattern="dense")
    row = prediction_report._row(dense, document.content["peers"], [])
    assert "| 190 FlashAttention-2 | 200 |" in row


def test_narrow_cases_stand_beside_their_bounds(document):
    bounded = {"head_size": 64, "most_over_bound": 1.3, "dram_seconds": 2e-4}
    document.content["items"] |= {
        "dense": item(case="dense", title="dense", useful_tflops=200),
        "near": item(case="near64", title="near", key_heads=8, seconds=4e-4,
                     visited_pairs=10**9, **bounded),
        "decode": item(case="decode", title="one token", key_heads=8, queries=1, seconds=2.5e-4,
                       visited_pairs=10**6, **bounded)}
    text = report.render([document], "plots")
    # 256e9 operations at 200 TFLOP/s take 1280 us, and 10**6 pairs 1.28.
    assert rows_of(text, "| A100 | 64 | near | 8192 | 32 over 8 |") == [
        "| A100 | 64 | near | 8192 | 32 over 8 | 400.0 | 1280.0 | 200.0 | 0.31 | 1.3 |"]
    assert rows_of(text, "| A100 | 64 | one token | 1 over 8192 |") == [
        "| A100 | 64 | one token | 1 over 8192 | 32 over 8 | 250.0 | 1.3 | 200.0 | 1.25 | 1.3 |"]
    assert not rows_of(text, "| near")
    document.content["items"]["near"]["seconds"] = 2e-3
    assert "| 1.56 **missed** | 1.3 |" in report.render([document], "plots")
    # Without the dense case there is nothing to compare with.
    del document.content["items"]["dense"]
    assert "over the larger" not in report.render([document], "plots")


def test_a_measurement_stands_beside_its_prediction(document):
    case = {key: item()[key] for key in ("pattern", "title", "dtype", "head_size", "batches",
                                         "heads", "key_heads", "n")}
    case |= {"kind": "case", "density": 0.5,
             "contestants": {"ours": {"seconds": 1e-3, "useful_tflops": 171.4}}}
    measured = Document("gpu", {
        "kind": "gpu", "date": "today", "commands": ["run"], "build": {}, "items": {"c": case},
        "device": {"name": "NVIDIA A100-SXM4-80GB"}})
    text = report.render([document, measured], "plots")
    assert "| causal | 2500 | 188 | 195 | 187 | 173 |  | 200 | 171 |" in text
    other = Document("gpu", {**measured.content, "device": {"name": "NVIDIA H200"}})
    assert prediction_report.measured_tflops(item(), [other]) is None
    for different in ({"n": 4096}, {"sizes_known": True}, {"queries": 1}):
        assert prediction_report.measured_tflops(item(**different), [measured]) is None
