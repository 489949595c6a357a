//===- Passes.td - Passes of storeys 2 and 3 ---------------*- tablegen -*-===//

#ifndef SPARSEATTN_TRANSFORMS_PASSES_TD
#define SPARSEATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseAttnVerifyPlacement
    : Pass<"sparse-attn-verify-placement", "::mlir::ModuleOp"> {
  let summary = "refuse attention that stands where no pass would find it";
  let description = [{
    Pipelines lower the functions of one module. Attention in a module inside it,
    or in a function of another kind, would come out as it went in, or halfway
    down: this pass says so at the attention op. Changes nothing.

    ```mlir
    module {
      module @inner {
        func.func @f(...) { %o = sparse_attn.attention ... } // an error
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def SparseAttnPlan : Pass<"sparse-attn-plan"> {
  let summary = "choose the tile and list the key tiles each query tile visits";
  let description = [{
    Attaches a `#sparse_attn.plan` to every `sparse_attn.attention` that has
    none. The plan is closed form for affine masks: it costs no memory and no
    planning at run time, at any length, static or dynamic.

    ```mlir
    sparse_attn.attention mask(#sparse_attn.causal) ins(...)
    // becomes, for 256 queries and keys, with tiles of 16 by 32,
    sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 32], rows = [<"0" to "256", segments = [
        <full "0" to "q floordiv 2">,
        <partial "q floordiv 2" to "(q + 2) floordiv 2">]>]>) ins(...)
    ```

    Warns when the mask leaves every row empty.
  }];
  let options = [
    Option<"tileQueries", "tile-queries", "int64_t", "0",
           "Query rows of a tile; 0 lets the mask analysis choose">,
    Option<"tileKeys", "tile-keys", "int64_t", "0",
           "Keys of a tile; 0 lets the mask analysis choose">,
    Option<"target", "target", "std::string", "\"cpu\"",
           "What tiles are chosen for: cpu or gpu">,
    Option<"stages", "stages", "int64_t", "2",
           "gpu: tiles of keys and values in shared memory at a time">,
    Option<"sharedLimit", "shared-limit", "int64_t", "0",
           "gpu: bytes of shared memory that a block may use; 0 for any">,
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

    ```mlir
    sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [
        <full "0" to "q + 1">]>]>) ins(...)
    // error: plan does not cover its mask: a full tile has a masked pair
    // note: witness: head 0, query position 0, key position 1 at Sq = 64, ...
    ```
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

    ```mlir
    %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v) ...
    // becomes
    %s = linalg.generic ... // scale * Q K^T: tensor<BxHqxSqxSkxf32>
    %t = linalg.generic outs(%s) { ... arith.cmpi sle, %j, %i; select ... }
    %m = linalg.generic ins(%t) { ... arith.maxnumf ... }
    %p = linalg.generic ins(%m) outs(%t) { ... math.exp ... }
    %l = linalg.generic ins(%p) { ... arith.addf ... }
    %a = linalg.generic ins(%p) ... // P V
    %o = linalg.generic ins(%a, %l) { ... arith.divf ... }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

def SparseAttnVisitTiles : Pass<"sparse-attn-visit-tiles"> {
  let summary = "lower planned attention to loops over tiles with a step inside";
  let description = [{
    For each class of rows one `scf.forall` over (batch, query head, query
    tile); inside, a loop over the partial tiles and one over the full tiles of
    the plan, which carry the state of online softmax through
    `sparse_attn.step`. Only steps of the loop over partial tiles have a mask.
    Nothing in the result is made for a target: the loops are marked
    `sparse_attn.grid`, and each target decomposes steps in its own way.

    Rows that see every key are split along the keys into `heavy-splits` parts,
    whose states a second loop nest merges (split-K). Every op that implements
    `MaskedReductionOpInterface` is lowered; each needs a plan (run
    `sparse-attn-plan` first).

    ```mlir
    %o = sparse_attn.attention mask(#sparse_attn.causal) plan(<tile = [Bm, Bn],
      ...>) ins(%q, %k, %v) outs(%init)
    // becomes
    %o = scf.forall (%b, %h, %qt) in (B, Hq, Sq / Bm) shared_outs(%out = %init) {
      %s = sparse_attn.initial_state : !sparse_attn.state<BmxDvxf32>
      %p = scf.for %t in partial tiles iter_args(%state = %s) {
        sparse_attn.step %state ins(%q_tile, %k_tile, %v_tile) at(%i, %j) mask {
          ...
        }
      }
      %f = scf.for %t in full tiles iter_args(%state = %p) {
        sparse_attn.step %state ins(%q_tile, %k_tile, %v_tile) at(%i, %j)
      }
      %o_tile = sparse_attn.finish %f outs(%out_tile)
      scf.forall.in_parallel { tensor.parallel_insert_slice %o_tile into %out }
    }
    ```
  }];
  let options = [
    Option<"heavySplits", "heavy-splits", "int64_t", "16",
           "Parts that heavy rows are split into along the keys">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::sparse_attn::SparseAttnDialect",
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

    ```mlir
    %o = sparse_attn.attention mask(#sparse_attn.causal) plan(<tile = [Bm, Bn],
      ...>) ins(%q, %k, %v) outs(%init)
    // becomes
    %o = scf.forall (%b, %h, %qt) in (B, Hq, Sq / Bm) shared_outs(%out = %init) {
      %q_tile = linalg.generic ... // transposed, times a power of two
      %p:3 = scf.for %t in partial tiles iter_args(%max, %sum, %acc) {
        %s = linalg.generic ins(%k_tile, %q_tile) ... // scores
        %m = linalg.generic outs(%s) ...              // mask
        ...                                           // online softmax
        %a = linalg.generic ins(%v_tile, %p) ...      // second product
      }
      %f:3 = scf.for %t in full tiles iter_args(%p#0, %p#1, %p#2) { ... }
      %o_tile = linalg.generic ...                    // acc / sum
      scf.forall.in_parallel { tensor.parallel_insert_slice %o_tile into %out }
    }
    ```
  }];
  let options = [
    Option<"queriesInner", "queries-inner", "bool", "true",
           "Orientation of the score tile: keys x queries, so that the queries "
           "are the vector lanes (CPU), or queries x keys">,
    Option<"keepTypes", "keep-types", "bool", "false",
           "Keep 16-bit queries, keys and values and round the probabilities to "
           "their type, as tensor cores take them, rather than widen to f32; the "
           "loops over query tiles are then blocks of threads">,
    Option<"heavySplits", "heavy-splits", "int64_t", "16",
           "Parts that heavy rows are split into along the keys">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def SparseAttnVectorizeTiles
    : Pass<"sparse-attn-vectorize-tiles", "::mlir::func::FuncOp"> {
  let summary = "turn linalg on tiles into operations on whole-tile vectors";
  let description = [{
    Each linalg op on a static tile becomes vector operations of the tile's
    shape, products become `vector.contract`, padded slices become reads with a
    boundary, and the loops over key tiles carry the running maximum, the row sum
    and the accumulator as vectors. This is the form that the GPU path
    distributes over threads; the CPU path tiles for registers instead.
    Requires tiles of static shape (`sparse-attn-tile-to-linalg` with
    `keep-types`).

    ```mlir
    %f = scf.for ... iter_args(%acc = %zero) -> (tensor<128x64xf32>) {
      %p = linalg.generic ins(%s) { math.exp2 ... } -> tensor<128x64xf32>
      ...
    // becomes
    %f = scf.for ... iter_args(%acc = %zero) -> (vector<128x64xf32>) {
      %p = math.exp2 %s : vector<128x64xf32>
      ...
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect", "::mlir::ub::UBDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // SPARSEATTN_TRANSFORMS_PASSES_TD
