"""Models as IREE gets them: projections around its own attention."""

import numpy as np

MAPS = ", ".join(
    f"affine_map<(b, h, m, n, k1, k2) -> ({dims})>"
    for dims in ("b, h, m, k1", "b, h, k2, k1", "b, h, k2, n", "")
)
OUT = "affine_map<(b, h, m, n, k1, k2) -> (b, h, m, n)>"


def triangle(shape):
    """Pairs of a causal mask, computed."""
    size = "%rows, %rows" if "?" in shape else ""
    return f"""
  %pairs = tensor.empty({size}) : tensor<{shape}xi1>
  %mask = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}} outs(%pairs : tensor<{shape}xi1>) {{
  ^bb0(%out: i1):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %live = arith.cmpi sle, %j, %i : index
    linalg.yield %live : i1
  }} -> tensor<{shape}xi1>"""


def constant(live, dtype="i1"):
    """A mask as a constant: pairs, or what is added to scores."""
    values = live if dtype == "i1" else np.where(live, 0, -np.inf).astype(np.float32)
    shape = "x".join(map(str, live.shape))
    return f"""
  %mask = arith.constant dense<"0x{values.tobytes().hex()}"> : tensor<{shape}x{dtype}>"""


def text(heads, length, size, mask, mask_type, scale, per_head=False):
    """y = attention(x W, x, x) W, all in f32; a length of None is dynamic."""
    rows = "?" if length is None else str(length)
    x, w = f"tensor<1x{heads}x{rows}x{size}xf32>", f"tensor<{size}x{size}xf32>"
    dynamic = "%rows" if length is None else ""
    mask_map = f"affine_map<(b, h, m, n, k1, k2) -> ({'h, ' if per_head else ''}m, k2)>"

    def project(name, source):
        return f"""
  {name}_filled = linalg.fill ins(%zero : f32) outs(%empty : {x}) -> {x}
  {name} = linalg.generic {{indexing_maps = [affine_map<(b, h, r, n, k) -> (b, h, r, k)>,
      affine_map<(b, h, r, n, k) -> (k, n)>, affine_map<(b, h, r, n, k) -> (b, h, r, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}}
      ins({source}, %w : {x}, {w}) outs({name}_filled : {x}) {{
  ^bb0(%l: f32, %r: f32, %sum: f32):
    %product = arith.mulf %l, %r : f32
    %next = arith.addf %product, %sum : f32
    linalg.yield %next : f32
  }} -> {x}"""

    return f"""\
func.func @model(%x: {x}, %w: {w}) -> {x} {{
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant {scale!r} : f32
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %x, %c2 : {x}
  %empty = tensor.empty({dynamic}) : {x}{project("%q", "%x")}{mask}
  %o_empty = tensor.empty({dynamic}) : {x}
  %o = iree_linalg_ext.attention <{{indexing_maps = [{MAPS}, {mask_map}, {OUT}]}}>
      ins(%q, %x, %x, %scale, %mask : {x}, {x}, {x}, f32, {mask_type}) outs(%o_empty : {x}) {{
  ^bb0(%score: f32):
    iree_linalg_ext.yield %score : f32
  }} -> {x}{project("%y", "%o")}
  return %y : {x}
}}
"""
