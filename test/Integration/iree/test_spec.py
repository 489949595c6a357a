# RUN: %pytest %s
"""The transform spec puts our kernel into models that know nothing of it, and only
where attention is the same."""

import models
import numpy as np
import pytest
from iree_export import Module, compile_file, export

from attention import Case, module_text, reference
from masks import bigbird, causal, longformer

HEADS, LENGTH, SIZE = 2, 64, 16
SPEC = "--iree-preprocessing-transform-spec-filename={}"


# Of a length that only the model knows.
DYNAMIC = f"""\
!t = tensor<1x{HEADS}x?x{SIZE}xf32>
func.func @attention(%q: !t, %k: !t, %v: !t) -> !t {{
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : !t
  %init = tensor.empty(%n) : !t
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}}
"""


def case_of(mask):
    return Case(mask, sq=LENGTH, d=SIZE, heads=HEADS, batch=1, lse=False)


def compile_with_spec(folder, text, *flags):
    (folder / "model.mlir").write_text(text)
    spec = SPEC.format(folder / "attention.spec.mlir")
    return compile_file(folder / "model.mlir", spec, *flags)


def is_replaced(folder, text):
    done = compile_with_spec(folder, text, "--compile-to=preprocessing").decode()
    assert ("call_sparse_attn_attention" in done) != ("iree_linalg_ext.attention" in done)
    return "call_sparse_attn_attention" in done


def static_model(mask, mask_type, length=LENGTH, scale=0.25, per_head=False):
    return models.text(HEADS, length, SIZE, mask, mask_type, scale, per_head)


def check(binary, case):
    rng = np.random.default_rng(5)
    x = rng.standard_normal((1, HEADS, LENGTH, SIZE)).astype(np.float32)
    w = rng.standard_normal((SIZE, SIZE)).astype(np.float32)
    right, _ = reference(x @ w.astype(np.float64), x, x, case.live(), case.effective_scale)
    (y,) = Module(binary)("model", x, w)
    np.testing.assert_allclose(y, right @ w, rtol=0, atol=1e-4)


@pytest.mark.parametrize("mask", [causal, longformer(16, [0])], ids=["causal", "longformer"])
@pytest.mark.parametrize("dtype", ["i1", "f32"])
def test_constant_mask(mask, dtype, tmp_path):
    case = case_of(mask)
    export(module_text(case), tmp_path)
    constant = models.constant(case.live()[0, 0], dtype)
    text = static_model(constant, f"tensor<{LENGTH}x{LENGTH}x{dtype}>")
    assert is_replaced(tmp_path, text)
    check(compile_with_spec(tmp_path, text), case)


def test_mask_of_each_head(tmp_path):
    case = case_of(bigbird(8, 3, 1))
    export(module_text(case), tmp_path)
    constant = models.constant(case.live()[0])
    kind = f"tensor<{HEADS}x{LENGTH}x{LENGTH}xi1>"
    text = static_model(constant, kind, per_head=True)
    assert is_replaced(tmp_path, text)
    check(compile_with_spec(tmp_path, text), case)


@pytest.mark.parametrize("length", [LENGTH, None], ids=["static", "dynamic"])
@pytest.mark.parametrize("dynamic", [False, True], ids=["static-kernel", "dynamic-kernel"])
def test_computed_mask(length, dynamic, tmp_path):
    case = case_of(causal)
    export(DYNAMIC if dynamic else module_text(case), tmp_path)
    shape = "?x?" if length is None else f"{length}x{length}"
    text = static_model(models.triangle(shape), f"tensor<{shape}xi1>", length)
    # A kernel for one length is none for all.
    assert is_replaced(tmp_path, text) == (dynamic or length is not None)
    if dynamic or length is not None:
        check(compile_with_spec(tmp_path, text), case)


def test_what_is_not_the_same_stays(tmp_path):
    case = case_of(longformer(16, [0]))
    export(module_text(case), tmp_path)
    live = case.live()[0, 0].copy()
    kind = f"tensor<{LENGTH}x{LENGTH}xi1>"
    near = live.copy()
    near[40, 20] = not near[40, 20]
    assert not is_replaced(tmp_path, static_model(models.constant(near), kind))
    assert not is_replaced(tmp_path, static_model(models.constant(live), kind, scale=0.5))
    shorter = models.constant(live[:48, :48])
    assert not is_replaced(tmp_path, static_model(shorter, "tensor<48x48xi1>", 48))
    assert is_replaced(tmp_path, static_model(models.constant(live), kind))


@pytest.mark.parametrize(
    "case, why",
    [
        (Case(causal, batch=1), "attention of IREE gives no log-sum-exp"),
        (Case(causal, batch=1, lse=False, softcap=3.0), "has no data operands, soft cap or scores"),
        (Case(causal, batch=1, lse=False, groups=2), "must be as many"),
        (Case(longformer(8), batch=1, lse=False, heads=2, dynamic=True), "a number that is known"),
    ],
)
def test_no_spec(case, why, tmp_path):
    said = export(module_text(case), tmp_path)
    assert "remark: no attention.spec.mlir is written: " in said and why in said
    assert not (tmp_path / "attention.spec.mlir").exists()
