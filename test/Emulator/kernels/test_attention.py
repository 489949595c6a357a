# RUN: %pytest %s
"""Attention kernels of the compiler: what keeps their threads in order is needed,
and its absence is noticed."""

import re
import subprocess

import numpy as np
import pytest

# Each of the edges has a query tile with an odd number of key tiles, 3 and 5: behind an even
# number the loop that follows first copies to where nobody reads any more. For this chip
# threads meet for each tile; test/Emulator/attention has kernels whose warps run apart.
ATTENTION = """
func.func @attention(%q: tensor<1x1x256x16xbf16>, %k: tensor<1x1x256x16xbf16>,
                     %v: tensor<1x1x256x16xbf16>) -> tensor<1x1x256x16xbf16> {
  %init = tensor.empty() : tensor<1x1x256x16xbf16>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 170, right = 100>)
      ins(%q, %k, %v : tensor<1x1x256x16xbf16>, tensor<1x1x256x16xbf16>, tensor<1x1x256x16xbf16>)
      outs(%init : tensor<1x1x256x16xbf16>) -> tensor<1x1x256x16xbf16>
  return %o : tensor<1x1x256x16xbf16>
}
"""


def lower():
    """The kernel and its host function, and a function on tensors around it."""
    text = subprocess.run(
        ["sparse-attn-opt", "--sparse-attn-nvvm-pipeline=emit=nvvm tile-keys=32 chip=sm_86"],
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
# Behind this barrier, which asks whether the result can be trusted, comes the fallback
# path, which would repair what a missing wait does to the ordinary steps.
QUESTION = next(i for i, line in enumerate(LINES) if "nvvm.reduction<and>" in line)


def answering(answer):
    """The kernel that always, or never, trusts its ordinary steps."""
    lines = list(LINES)
    place = next(i for i in range(QUESTION, len(lines)) if 'icmp "ne"' in lines[i])
    value = re.search(r'icmp "ne" (%\w+),', lines[place])[1]
    compare = "eq" if answer else "ne"
    lines[place] = re.sub(
        r'"ne" (%\w+), %\w+', f'"{compare}" {value}, {value}', lines[place]
    )
    return lines


KERNELS = {"ordinary": answering(True), "fallback": answering(False)}


def synchronisation(kind):
    """The lines that keep threads in order. A barrier before the first copy orders
    nothing."""
    first = QUESTION if kind == "fallback" else 0
    end = len(LINES) if kind == "fallback" else QUESTION
    copy = next(i for i in range(first, end) if "nvvm.cp.async" in LINES[i])
    needed = r"nvvm\.(barrier|bar\.warp|cp\.async\.(wait|commit))"
    return [i for i in range(copy + 1, end) if re.search(needed, LINES[i])]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What the kernel computes, whichever steps it takes."""
    folder = tmp_path_factory.mktemp("expected")
    report, result = run(folder, LINES, 0, seeds=4)
    assert report == ""
    for lines in KERNELS.values():
        report, same = run(folder, lines, 0, seeds=4)
        assert report == ""
        np.testing.assert_allclose(same, result, rtol=0, atol=2e-2)
    return {kind: run(folder, lines, 0)[1] for kind, lines in KERNELS.items()}


@pytest.mark.parametrize("kind", KERNELS)
def test_there_is_something_to_delete(kind):
    text = "\n".join(LINES[i] for i in synchronisation(kind))
    for op in ["nvvm.barrier", "nvvm.cp.async.wait", "nvvm.cp.async.commit"]:
        assert op in text


@pytest.mark.parametrize(
    "kind, line", [(kind, line) for kind in KERNELS for line in synchronisation(kind)]
)
def test_a_deleted_synchronisation_is_caught(kind, line, expected, tmp_path):
    lines = KERNELS[kind]
    for seed in range(3):
        report, result = run(tmp_path, lines[:line] + lines[line + 1 :], seed)
        wrong = result is None or not np.array_equal(result, expected[kind])
        assert wrong, f"nobody misses {LINES[line].strip()} in line {line + 1}"
        assert "error: " in report or not report
