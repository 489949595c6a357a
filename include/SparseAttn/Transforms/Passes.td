//===- Passes.td - From attention to loops over tiles ------*- tablegen -*-===//

#ifndef SPARSEATTN_TRANSFORMS_PASSES_TD
#define SPARSEATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SparseAttnVerifyPlacement
    : Pass<"sparse-attn-verify-placement", "::mlir::ModuleOp"> {
  let summary = "refuse attention that stands where no pass would find it";
  let description = [{
    Pipelines lower the functions of one module. Attention in a module inside it,
    or in a function of another kind, would come out as it went in, or halfway
    down: this pass says so at the attention op. It changes nothing, and is to
    run first.

    Example: test/Transforms/verify-placement-example.mlir
  }];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def SparseAttnPlan : Pass<"sparse-attn-plan"> {
  let summary = "choose the tile and list the key tiles each query tile visits";
  let description = [{
    Attaches a `#sparse_attn.plan` to every `sparse_attn.attention` (and every
    other op of `MaskedReductionOpInterface`) that has none. The plan is closed
    form for affine masks: it costs no memory and no planning at run time, at any
    length, static or dynamic. The tile is chosen for the mask, the head size and
    the target, unless options give it. Where the target loads them, columns of
    keys get tiles of their own, in a lattice or from a list. Ops may be on
    tensors or buffers.

    A remark says where the plan gives up its closed form, and a warning that a
    mask leaves every row empty.

    Example: test/Transforms/plan-example.mlir
  }];
  let options = [
    Option<"tileQueries", "tile-queries", "int64_t", "0",
           "Query rows of a tile; 0 lets the mask analysis choose">,
    Option<"tileKeys", "tile-keys", "int64_t", "0",
           "Keys of a tile; 0 lets the mask analysis choose">,
    Option<"target", "target", "std::string", "\"cpu\"",
           "What tiles are chosen for: cpu, gpu, a level (x86-64-v3, ...) or a "
           "chip (sm_80, ...)">,
    Option<"stages", "stages", "int64_t", "2",
           "gpu: tiles of keys and values in shared memory at a time">,
    Option<"sharedLimit", "shared-limit", "int64_t", "0",
           "target=gpu: bytes of shared memory that a block may use; 0 for any; "
           "chips have their own">,
  ];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def SparseAttnSpecialize : Pass<"sparse-attn-specialize"> {
  let summary = "branch to a better plan where the lengths allow one";
  let description = [{
    Where lengths are known at run time only, a plan for all of them visits, or
    evaluates the mask in, tiles that a plan for some of them would not: tiles of
    a mask of blocks are full where Sk - Sq and Sk are multiples of the block. If
    such a plan has to do at least a tenth less, the op is put into an `scf.if`:
    where the lengths allow it, a copy of it with that plan runs, else the op. A
    remark says so, and what it saves. Two such plans at most are tried one after
    the other.

    With `packed-heads`, a copy is for no more query rows than a key head has query
    heads, as in decoding: a tile has one row of several of these heads, so that
    keys and values are read once for all of them.

    With `few-blocks`, GPUs get one more copy, for launches of so few query tiles
    that multiprocessors would be idle, or of so few rows that they would waste
    most of a tile: in tiles of 16 queries, whose keys are split over the grid.
    Which lengths, batches and numbers of heads these are depends on the device,
    whose `sparse_attn.sm_count` the condition asks for.

    Packages take one way through such branches for each variant of a program.
    Run after `sparse-attn-plan`, with its options.

    Example: test/Transforms/specialize-example.mlir
  }];
  let options = [
    Option<"tileQueries", "tile-queries", "int64_t", "0",
           "Query rows of a tile; 0 lets the mask analysis choose">,
    Option<"tileKeys", "tile-keys", "int64_t", "0",
           "Keys of a tile; 0 lets the mask analysis choose">,
    Option<"target", "target", "std::string", "\"cpu\"",
           "What tiles are chosen for: cpu, gpu, a level (x86-64-v3, ...) or a "
           "chip (sm_80, ...)">,
    Option<"stages", "stages", "int64_t", "2",
           "gpu: tiles of keys and values in shared memory at a time">,
    Option<"sharedLimit", "shared-limit", "int64_t", "0",
           "target=gpu: bytes of shared memory that a block may use; 0 for any; "
           "chips have their own">,
    Option<"lengths", "lengths", "bool", "true",
           "Plan for some of the lengths">,
    Option<"packedHeads", "packed-heads", "bool", "false",
           "Plan for few query rows">,
    Option<"fewBlocks", "few-blocks", "bool", "false",
           "Plan for launches of few blocks, too; the host must know "
           "sparse_attn.sm_count then">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::sparse_attn::SparseAttnDialect", "::mlir::tensor::TensorDialect"];
}

def SparseAttnProvePlan : Pass<"sparse-attn-prove-plan"> {
  let summary = "prove that each plan covers its mask exactly";
  let description = [{
    Checks, for every attention op with a plan, that each live pair lies in
    exactly one visited tile and that a tile called full has no masked pair.
    Emits a remark for a proof, an error with a witness pair for a refutation,
    and a warning where the question is not supported. Fails on a refutation.
    The proof shares no code with the planner, so that it finds the planner's
    mistakes, and it holds for plans that were written by hand. Changes nothing.

    Example: test/Transforms/prove-plan-example.mlir
  }];
  let options = [
    Option<"failUnsupported", "fail-unsupported", "bool", "false",
           "Treat 'unsupported' as a failure">,
  ];
}

def SparseAttnVerifyPlan : Pass<"sparse-attn-verify-plan"> {
  let summary = "refuse plans that come with a file and do not cover their masks";
  let description = [{
    Pipelines run this before they plan. A plan that an op already has is right
    where the planner makes the same one of the op; any other must be proven, as
    by `sparse-attn-prove-plan`. A refuted plan is an error. One that cannot be
    proven is a warning, and its key tiles are cut to those that exist, so that
    nothing outside of K and V is read. Ops without a plan stay as they are.

    Example: test/Transforms/verify-plan-example.mlir
  }];
  let dependentDialects = ["::mlir::sparse_attn::SparseAttnDialect"];
}

def SparseAttnToDenseLinalg : Pass<"sparse-attn-to-dense-linalg"> {
  let summary = "decompose attention into dense linalg ops, the mask evaluated on every pair";
  let description = [{
    The naive decomposition: all scores, the mask as a select, a two-pass
    softmax, the second product. Obviously right, for back ends without a better
    way and as a test oracle; it computes and stores Sq * Sk scores a head.
    Requires tensors. Plans are ignored. A `sparse_attn.merge` becomes elementwise
    ops on all rows.

    Example: test/Transforms/to-dense-linalg-example.mlir
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
    tile), which classes next to each other share if they visit the same tiles
    whatever the query tile; inside, a loop over the full tiles of the plan, and one over partial
    tiles for each of the sets of live pairs that its segments name, which carry
    the state of online softmax through `sparse_attn.step`. Only steps of loops
    over partial tiles have a mask.
    Nothing in the result is made for a target: the loops are mapped to
    `#sparse_attn.grid`, and each target decomposes steps in its own way.

    Values of more than `value-columns` columns (`single-columns` where elements
    have more than 2 bytes) are cut into slices of at most so many, of which each has its part of the result computed by itself, scores
    included: the loop over query heads runs over the slices of each. Where they
    cannot be of one size, multiples of 8, wider ones have loops of their own.

    Rows that see every key are split along the keys into `heavy-splits` parts,
    whose states a second loop nest merges (split-K), some `merge-columns` of the
    columns in each iteration. Where they are fewer than a
    tile has, `heavy-keys` cuts their tiles into steps of fewer keys. How many
    parts a plan for few blocks has, host code computes from
    the keys, the number of query tiles and `sparse_attn.sm_count`. Every op
    that implements `MaskedReductionOpInterface` is lowered; each needs a plan (run
    `sparse-attn-plan` first). A `sparse_attn.merge`, which needs none, becomes a
    loop over tiles of its rows.

    Example: test/Transforms/visit-tiles-example.mlir
  }];
  let options = [
    Option<"heavySplits", "heavy-splits", "int64_t", "16",
           "Parts that heavy rows are split into along the keys">,
    Option<"heavyKeys", "heavy-keys", "int64_t", "0",
           "The most keys of a step of such parts; 0: those of a tile">,
    Option<"valueColumns", "value-columns", "int64_t", "0",
           "Columns of values that are computed at a time; 0 is no limit">,
    Option<"singleColumns", "single-columns", "int64_t", "0",
           "The same where elements have more than 2 bytes; 0: value-columns">,
    Option<"mergeColumns", "merge-columns", "int64_t", "0",
           "Columns in which states of parts are merged at a time; 0 is no limit">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::sparse_attn::SparseAttnDialect",
    "::mlir::tensor::TensorDialect"];
}

def SparseAttnSetSmCount : Pass<"sparse-attn-set-sm-count"> {
  let summary = "say how many multiprocessors the device has";
  let description = [{
    Each `sparse_attn.sm_count` becomes a constant, for host code that is compiled
    for one device, and each `sparse_attn.launch_argument` its operand. Packages
    leave the number to who launches them.

    Example: test/Transforms/set-sm-count-example.mlir
  }];
  let options = [
    Option<"count", "count", "int64_t", "1", "Multiprocessors of the device">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::sparse_attn::SparseAttnDialect"];
}

def SparseAttnTrustSteps : Pass<"sparse-attn-trust-steps"> {
  let summary = "take steps that trust their operands, and exact ones as the fallback path";
  let description = [{
    Exact steps handle operands that are rare, and pay for them in every tile. So
    the loops over key tiles get steps on a trusting state, which leave that out.
    Whether they were right to shows in the state that they end with; where they
    were not, exact steps compute the query tile again, in one loop over partial
    and full tiles.

    `trust` says how far a target's steps go: `sums`, that no sum of weighted
    values is too large for f32, as on CPUs, where nothing else costs time; or
    `operands`, that besides no masked key has a NaN or an infinity for a value,
    no maximum is so large that its rounding matters, no row has but scores of
    -inf, and no f32 result is so small that tensor cores lose some of it. Where
    no operand of a type can break the trust, there is no fallback path.

    Run after `sparse-attn-visit-tiles`.

    Example: test/Transforms/trust-steps-example.mlir
  }];
  let options = [
    Option<"trust", "trust", "std::string", "\"operands\"",
           "What steps trust: sums or operands">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::sparse_attn::SparseAttnDialect", "::mlir::tensor::TensorDialect"];
}

def SparseAttnTileToLinalg : Pass<"sparse-attn-tile-to-linalg"> {
  let summary = "lower planned attention to loops over tiles with online softmax on linalg tiles";
  let description = [{
    `sparse-attn-visit-tiles`, and every step as linalg ops on f32 tiles with the
    queries along the rows: a score tile, its mask where the tile is partial, its
    online softmax and the second product. Steps are exact, so there is no
    fallback path, and nothing is made for a target: this is the way into other
    back ends. Requires a plan on every op (run `sparse-attn-plan` first).

    Example: test/Transforms/tile-to-linalg-example.mlir
  }];
  let options = [
    Option<"heavySplits", "heavy-splits", "int64_t", "16",
           "Parts that heavy rows are split into along the keys">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def SparseAttnVectorizeTiles
    : Pass<"sparse-attn-vectorize-tiles", "::mlir::func::FuncOp"> {
  let summary = "turn linalg on tiles into operations on whole-tile vectors";
  let description = [{
    Each linalg op on a static tile becomes vector operations of the tile's
    shape, products become `vector.contract`, padded slices become reads with a
    boundary and `sparse_attn.gather_rows` becomes `sparse_attn.read_rows`, and the loops over key tiles carry the running maximum, the row sum
    and the accumulator as vectors. This is the form that the GPU path
    distributes over threads; the CPU path tiles for registers instead.
    Requires tiles of static shape, as `sparse-attn-steps-to-tiles` makes them.

    Example: test/Transforms/vectorize-tiles-example.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::sparse_attn::SparseAttnDialect", "::mlir::tensor::TensorDialect",
    "::mlir::ub::UBDialect", "::mlir::vector::VectorDialect"];
}

#endif // SPARSEATTN_TRANSFORMS_PASSES_TD
