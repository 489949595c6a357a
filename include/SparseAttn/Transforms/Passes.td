//===- Passes.td - Passes of storeys 2 and 3 ---------------*- tablegen -*-===//

#ifndef SPARSEATTN_TRANSFORMS_PASSES_TD
#define SPARSEATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseAttnPlan : Pass<"sparse-attn-plan"> {
  let summary = "choose the tile and list the key tiles each query tile visits";
  let description = [{
    Attaches a `#sparse_attn.plan` to every `sparse_attn.attention` that has
    none. The plan is closed form for affine masks: it costs no memory and no
    planning at run time, at any length, static or dynamic.

    ```mlir
    sparse_attn.attention mask(#sparse_attn.causal) ins(...)
    // becomes
    sparse_attn.attention mask(#sparse_attn.causal)
      plan(#sparse_attn.plan<tile = [48, 64], rows = [<"0" to "nq", segments = [
        <full "0" to "(q * 48 + nk - nq + 1) floordiv 64">, ...]>]>) ins(...)
    ```

    Warns when the mask leaves every row empty.
  }];
  let options = [
    Option<"tileQueries", "tile-queries", "int64_t", "0",
           "Query rows of a tile; 0 lets the mask analysis choose">,
    Option<"tileKeys", "tile-keys", "int64_t", "0",
           "Keys of a tile; 0 lets the mask analysis choose">,
  ];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def SparseAttnProvePlan : Pass<"sparse-attn-prove-plan"> {
  let summary = "prove that each plan covers its mask exactly";
  let description = [{
    Checks, for every attention op with a plan, that each live pair lies in
    exactly one visited tile and that a tile called full has no masked pair.
    Emits a remark for a proof, an error with a witness pair for a refutation,
    and a warning where the question is not supported. Fails on a refutation.
  }];
  let options = [
    Option<"failUnsupported", "fail-unsupported", "bool", "false",
           "Treat 'unsupported' as a failure">,
  ];
}

def SparseAttnToDenseLinalg : Pass<"sparse-attn-to-dense-linalg"> {
  let summary = "decompose attention into dense linalg ops, the mask evaluated on every pair";
  let description = [{
    The naive decomposition: all scores, the mask as a select, a two-pass
    softmax, the second product. Obviously right, for back ends without a better
    way and as a test oracle; it computes and stores Sq * Sk scores a head.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

def SparseAttnTileToLinalg : Pass<"sparse-attn-tile-to-linalg"> {
  let summary = "lower planned attention to loops over tiles with online softmax on linalg tiles";
  let description = [{
    For each class of rows one `scf.forall` over (batch, query head, query
    tile); inside, a loop over the partial tiles and one over the full tiles of
    the plan, each step a score tile, its online softmax and the second product
    as linalg ops on tiles. Mask arithmetic appears only in the loop over partial
    tiles. Requires a plan on every op (run `sparse-attn-plan` first).
  }];
  let options = [
    Option<"queriesInner", "queries-inner", "bool", "true",
           "Orientation of the score tile: keys x queries, so that the queries "
           "are the vector lanes (CPU), or queries x keys">,
    Option<"heavySplits", "heavy-splits", "int64_t", "16",
           "Parts that heavy rows are split into along the keys">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

#endif // SPARSEATTN_TRANSFORMS_PASSES_TD
