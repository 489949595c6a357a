"""Attention kernels of the compiler: what keeps their threads in order is needed,
and its absence is noticed."""

import re
import subprocess

import numpy as np
import pytest

ATTENTION = """
func.func @attention(%q: tensor<1x1x256x16xbf16>, %k: tensor<1x1x256x16xbf16>,
                     %v: tensor<1x1x256x16xbf16>) -> tensor<1x1x256x16xbf16> {
  %init = tensor.empty() : tensor<1x1x256x16xbf16>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 150, right = 100>)
      ins(%q, %k, %v : tensor<1x1x256x16xbf16>, tensor<1x1x256x16xbf16>, tensor<1x1x256x16xbf16>)
      outs(%init : tensor<1x1x256x16xbf16>) -> tensor<1x1x256x16xbf16>
  return %o : tensor<1x1x256x16xbf16>
}
"""


def lower():
    """The kernel and its host function, and a function on tensors around it."""
    text = subprocess.run(
        ["sparse-attn-opt", "--sparse-attn-nvvm-pipeline=emit=nvvm tile-keys=32"],
        input=ATTENTION,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    buffer = re.search(r"-> (memref<[^>]*>)", text)[1]
    tensor = buffer.replace("memref", "tensor")
    wrapper = f"""
  func.func @run(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
    %qm = bufferization.to_buffer %q : {tensor} to {buffer}
    %km = bufferization.to_buffer %k : {tensor} to {buffer}
    %vm = bufferization.to_buffer %v : {tensor} to {buffer}
    %om = call @attention(%qm, %km, %vm) : ({buffer}, {buffer}, {buffer}) -> {buffer}
    %o = bufferization.to_tensor %om restrict : {buffer} to {tensor}
    return %o : {tensor}
  }}
"""
    return text.replace("  func.func @attention", wrapper + "  func.func @attention")


def run(folder, lines, seed, seeds=1):
    """The report and the result."""
    source, output = folder / "kernel.mlir", folder / "o.npy"
    source.write_text("\n".join(lines))
    result = subprocess.run(
        ["sparse-attn-run", source, "--entry=run", "--device=emulator"]
        + [f"--schedule-seed={seed}", f"--repeat={seeds}", f"--output={output}"],
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        assert result.returncode == 1, result.stderr
        return result.stderr, None
    return "", np.load(output)


LINES = lower().split("\n")
FIRST_COPY = next(i for i, line in enumerate(LINES) if "nvvm.cp.async" in line)
# A barrier before the first copy orders nothing.
SYNCHRONISATION = [
    i
    for i, line in enumerate(LINES)
    if i > FIRST_COPY
    and re.search(r"nvvm\.(barrier|bar\.warp|cp\.async\.(wait|commit))", line)
]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    report, result = run(tmp_path_factory.mktemp("expected"), LINES, 0, seeds=4)
    assert report == ""
    return result


def test_there_is_something_to_delete():
    text = "\n".join(LINES[i] for i in SYNCHRONISATION)
    for op in ["nvvm.barrier", "nvvm.cp.async.wait", "nvvm.cp.async.commit"]:
        assert op in text


@pytest.mark.parametrize("line", SYNCHRONISATION)
def test_a_deleted_synchronisation_is_caught(line, expected, tmp_path):
    for seed in range(3):
        report, result = run(tmp_path, LINES[:line] + LINES[line + 1 :], seed)
        wrong = result is None or not np.array_equal(result, expected)
        assert wrong, f"nobody misses {LINES[line].strip()} in line {line + 1}"
        assert "error: " in report or not report
