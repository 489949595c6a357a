"""Packages and their index; what is wrong with them is said, and nothing is left half."""

import dataclasses
import json
import shutil

import build
import packages
import pytest
from packages import BenchError, Function, Variant
from patterns import PATTERNS, SMALL_PATTERNS


def build_arguments(build_tree, folder, *more):
    return build.parse_arguments(["-o", str(folder), f"--build={build_tree}", "--small",
                                  "--head-sizes=32", "--target=sm_90", *more])


def test_index_gives_back_what_was_built(small_packages):
    found = packages.read_index(small_packages)
    names = {"causal_bf16_d32", "longformer_bf16_d32", "bigbird_bf16_d32"}
    assert found.functions.keys() == names
    manifest = json.loads((found.package / "manifest.json").read_text())
    assert {program["name"] for program in manifest["programs"]} == names
    for program in manifest["programs"]:
        sizes = {size["name"] for size in program["sizes"]}
        assert sizes == {"B", "Hq", "Hkv", "Sq", "Sk"}  # one package for all lengths
    assert found.record["manifest_sha256"] == packages.digest(found.package / "manifest.json")
    for name, built in found.variants.items():
        assert built.variant.name == name and built.error is None
        assert (found.variant_package(name) / "manifest.json").exists()
    assert (small_packages / "lib" / "libSparseAttnRuntime.so").stat().st_size > 1 << 16


def test_variants_are_what_they_are_called(small_packages):
    found = packages.read_index(small_packages)
    default, other = found.variants
    options = json.loads((found.variant_package(other) / "manifest.json").read_text())
    options = options["programs"][0]["options"]
    assert options["tile-queries"] == 64 and options["tile-keys"] == 32
    assert "_q0_k0_s2_w0" in default and "_q64_k32_s2_w4" in other


def test_sweep_begins_with_the_compilers_choice():
    function = Function(PATTERNS["longformer"], "bf16", 128)
    variants = build.sweep([function])
    assert variants[0] == Variant(function)
    assert len(set(variants)) == len(variants) > 10
    assert {variant.heavy_splits for variant in variants} == {16, 32, 64, 128}


def test_a_refused_variant_is_a_result(build_tree, tmp_path):
    args = build_arguments(build_tree, tmp_path)
    function = Function(SMALL_PATTERNS["causal"], "bf16", 256)
    built = build.compile_variant(args, tmp_path, Variant(function, 128, 128, 4, 4))
    assert built.error and "sparse-attn-compile failed" in built.error
    assert "/tmp" not in built.error and built.resources is None


def test_wrong_count_of_pairs_is_found(build_tree, tmp_path):
    args = build_arguments(build_tree, tmp_path)
    wrong = dataclasses.replace(SMALL_PATTERNS["causal"], count_head=lambda n: n * n // 2)
    with pytest.raises(BenchError, match="causal at 1000 has 1001000 live pairs, but"
                                         " patterns.py says 1000000"):
        build.check_live_pairs(args, [wrong])


def test_counts_of_the_long_masks_are_the_compilers(build_tree, tmp_path):
    build.check_live_pairs(build_arguments(build_tree, tmp_path), list(PATTERNS.values()))


@pytest.mark.parametrize("arguments, message", [
    (["--patterns=nothing"], "unknown pattern nothing; there are dense"),
    (["--patterns=causal", "--variants=bigbird"], "no variants of bigbird"),
    (["--head-sizes=a"], "take integers, by comma"),
    (["--variants=causal", "--target=x86-64-v3"], "variants are of GPU kernels"),
])
def test_wrong_options(build_tree, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit):
        build_arguments(build_tree, tmp_path, *arguments)
    assert message in capsys.readouterr().err


def test_missing_tools_are_named(tmp_path):
    with pytest.raises(SystemExit, match="sparse-attn-inspect is missing; build it"):
        build.main(["-o", str(tmp_path / "out"), f"--build={tmp_path}"])
    assert not (tmp_path / "out" / "index.json").exists()


def test_missing_library_is_named(build_tree, tmp_path):
    args = build_arguments(build_tree, tmp_path)
    args.build = tmp_path
    with pytest.raises(BenchError, match="libSparseAttnRuntime.so is missing; build it"):
        build.copy_runtime(args, packages.Build(tmp_path, {}, {}, {}))


def test_a_package_that_cannot_be_compiled_leaves_no_index(build_tree, tmp_path):
    with pytest.raises(SystemExit, match="sparse-attn-compile failed.*unknown --target 'sm_1'"):
        build.main(["-o", str(tmp_path), f"--build={build_tree}", "--small",
                    "--patterns=causal", "--head-sizes=32", "--target=sm_1"])
    assert not (tmp_path / "index.json").exists()


@pytest.fixture
def index(small_packages, tmp_path):
    shutil.copy(small_packages / "index.json", tmp_path)
    path = tmp_path / "index.json"

    def change(edit):
        content = json.loads(path.read_text())
        edit(content)
        path.write_text(json.dumps(content))
        return tmp_path

    return change


@pytest.mark.parametrize("edit, message", [
    (lambda c: c.update(schema=0), "has schema 0, expected 1; run build.py again"),
    (lambda c: c["functions"][0].update(pattern="old"), "names a pattern 'old' that is not"),
    (lambda c: c["functions"][0].update(mask="#sparse_attn.full"),
     "was made for '#sparse_attn.full'"),
])
def test_an_index_of_other_masks_is_refused(index, edit, message):
    with pytest.raises(BenchError, match=message):
        packages.read_index(index(edit))


def test_unreadable_indexes_are_named(tmp_path):
    with pytest.raises(BenchError, match="index.json is missing; make it with"):
        packages.read_index(tmp_path)
    (tmp_path / "index.json").write_text("no JSON")
    with pytest.raises(BenchError, match="cannot be read"):
        packages.read_index(tmp_path)


def test_every_function_has_a_case_first_in_order():
    """No case is without a function by default, and the first ones name the goals."""
    from cases import LINEAR, measured_cases

    cases = measured_cases(["bf16"])
    keys = [case.key for case in cases]
    assert len(set(keys)) == len(keys)
    assert {case.pattern.name for case in cases} == set(PATTERNS)
    assert {case.head_size for case in cases} == {64, 128, 256}
    assert {case.n for case in cases if case.with_peers} == {
        2048 << step for step in range(6)}
    assert max(case.n for case in cases) == 2 << 20
    assert all(case.pattern.name in LINEAR for case in cases if case.n > 65536)
    assert any(case.key_heads < case.heads for case in cases)
    first = cases[: len(PATTERNS)]
    assert {case.pattern.name for case in first} == set(PATTERNS)
    assert {(case.n, case.head_size) for case in first} == {(16384, 64)}
