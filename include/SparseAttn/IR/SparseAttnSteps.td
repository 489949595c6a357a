//===- SparseAttnSteps.td - What is done with a tile pair --*- tablegen -*-===//
//
// Between --sparse-attn-visit-tiles and a target's decomposition, attention is
// loops over the tiles of its plan with these operations inside. They say what
// happens to a pair of tiles, and neither in which element types nor in which
// orientation: each target decomposes them in its own way.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_IR_STEPS_TD
#define SPARSEATTN_IR_STEPS_TD

include "SparseAttn/IR/SparseAttnDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def SparseAttn_StateType : TypeDef<SparseAttn_Dialect, "State"> {
  let mnemonic = "state";
  let summary = "what online softmax carries for the rows of a query tile";
  let description = [{
    Of each of `rows` queries a running maximum m, a row sum l and an accumulator
    A of `value_size` elements; `element_type` is that of the operands. How a
    target holds them is its own business.

    ```mlir
    !sparse_attn.state<32x64xbf16>
    ```
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$value_size,
                        "Type":$element_type);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

class SparseAttn_StateOp<string mnemonic, list<Trait> traits = []>
    : Op<SparseAttn_Dialect, mnemonic, traits>;

def SparseAttn_InitialStateOp : SparseAttn_StateOp<"initial_state", [Pure]> {
  let summary = "the state before any key: m = -inf, l = 0, A = 0";
  let results = (outs SparseAttn_StateType:$state);
  let assemblyFormat = "attr-dict `:` type($state)";
}

def SparseAttn_StepOp : SparseAttn_StateOp<"step", [
    RecursiveMemoryEffects, RecursivelySpeculatable,
    TypesMatchWith<"state and result have one type", "state", "result",
                   "$_self">]> {
  let summary = "online softmax over one tile of keys";
  let description = [{
    For the queries of a tile, `query` [rows, D], and the keys of a tile, `key`
    [n, D] and `value` [n, Dv], with n <= `keys` (Milakov and Gimelshein 2018):

      S  = scale * query key^T
      S  = mask ? S : -inf           where there is a mask
      m' = max(m, max_k S)
      P  = exp(S - m'),  a = exp(m - m')
      l' = a l + sum_k P,  A' = a A + P value

    `mask` tells, for the position %i of a query and %j of a key, whether the
    query may attend to the key; without it, every query attends to every key
    and n = `keys`. Query r of the tile stands at `row_position` + r, key c at
    `key_position` + c. The mask may use values from outside.

    The result is exact up to rounding for whatever the operands hold: a masked
    key's NaN or infinity reaches nothing, a row of which all scores are -inf
    becomes NaN. A `trusting` step need not be, where V of a masked key is not
    finite, |m| is large, or a row has no finite score; its state then shows it
    (see the pass `sparse-attn-trust-steps`).

    ```mlir
    %next = sparse_attn.step %state
      ins(%q, %k, %v : tensor<32x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>)
      at(%row_position, %key_position) keys(32) scale(2.5e-01) mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf32>
    ```
  }];
  let arguments = (ins SparseAttn_StateType:$state, AnyRankedTensor:$query,
                       AnyRankedTensor:$key, AnyRankedTensor:$value,
                       Index:$row_position, Index:$key_position,
                       ConfinedAttr<I64Attr, [IntPositive]>:$keys,
                       F64Attr:$scale, UnitAttr:$trusting);
  let regions = (region MaxSizedRegion<1>:$mask);
  let results = (outs SparseAttn_StateType:$result);
  let assemblyFormat = [{
    $state `ins` `(` $query `,` $key `,` $value `:`
      type($query) `,` type($key) `,` type($value) `)`
    `at` `(` $row_position `,` $key_position `)`
    `keys` `(` $keys `)` `scale` `(` $scale `)` (`trusting` $trusting^)?
    (`mask` $mask^)? attr-dict `:` type($state)
  }];
  let extraClassDeclaration = [{
    bool hasMask() { return !getMask().empty(); }
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def SparseAttn_YieldOp : SparseAttn_StateOp<"yield", [
    Pure, Terminator, HasParent<"StepOp">]> {
  let summary = "what a region of a step computes";
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def SparseAttn_MergeStatesOp : SparseAttn_StateOp<"merge_states", [
    Pure, AllTypesMatch<["lhs", "rhs", "result"]>]> {
  let summary = "the state over two disjoint sets of keys";
  let description = [{
      m = max(m1, m2),  l = l1 exp(m1 - m) + l2 exp(m2 - m),  A likewise
  }];
  let arguments = (ins SparseAttn_StateType:$lhs, SparseAttn_StateType:$rhs,
                       F64Attr:$scale);
  let results = (outs SparseAttn_StateType:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `scale` `(` $scale `)` attr-dict `:` type($result)
  }];
}

def SparseAttn_StoreStateOp : SparseAttn_StateOp<"store_state", [
    Pure, TypesMatchWith<"maximum and its destination have one type", "maximum_init", "maximum", "$_self">,
    TypesMatchWith<"sum and its destination have one type", "sum_init", "sum", "$_self">,
    TypesMatchWith<"accumulator and its destination have one type", "accumulator_init", "accumulator", "$_self">]> {
  let summary = "a state as tensors: m [rows], l [rows], A [rows, Dv], all f32";
  let description = [{
    The results replace the destinations, as in destination-style operations.
    What m is a multiple of is the target's choice: only `load_state` of the
    same scale may read it.
  }];
  let arguments = (ins SparseAttn_StateType:$state,
                       AnyRankedTensor:$maximum_init, AnyRankedTensor:$sum_init,
                       AnyRankedTensor:$accumulator_init);
  let results = (outs AnyRankedTensor:$maximum, AnyRankedTensor:$sum,
                      AnyRankedTensor:$accumulator);
  let assemblyFormat = [{
    $state `outs` `(` $maximum_init `,` $sum_init `,` $accumulator_init `:`
      type($maximum_init) `,` type($sum_init) `,` type($accumulator_init) `)`
    attr-dict `:` type($state)
  }];
  let hasVerifier = 1;
}

def SparseAttn_LoadStateOp : SparseAttn_StateOp<"load_state", [Pure]> {
  let summary = "the state that `store_state` made tensors of";
  let arguments = (ins AnyRankedTensor:$maximum, AnyRankedTensor:$sum,
                       AnyRankedTensor:$accumulator);
  let results = (outs SparseAttn_StateType:$state);
  let assemblyFormat = [{
    `ins` `(` $maximum `,` $sum `,` $accumulator `:`
      type($maximum) `,` type($sum) `,` type($accumulator) `)`
    attr-dict `:` type($state)
  }];
  let hasVerifier = 1;
}

def SparseAttn_FinishOp : SparseAttn_StateOp<"finish", [Pure,
    TypesMatchWith<"output and its destination have one type", "output_init", "output", "$_self">]> {
  let summary = "O = A / l, and LSE = m + ln l";
  let description = [{
    Of the rows that the destinations have, which may be fewer than the state's:
    `output_init` is [r, Dv], `lse_init` [r]. A row without a live key gets O = 0
    and LSE = -inf, one of which all scores are -inf gets NaN.
  }];
  let arguments = (ins SparseAttn_StateType:$state,
                       AnyRankedTensor:$output_init,
                       Optional<AnyRankedTensor>:$lse_init, F64Attr:$scale);
  let results = (outs AnyRankedTensor:$output, Optional<AnyRankedTensor>:$lse);
  let assemblyFormat = [{
    $state `scale` `(` $scale `)` `outs` `(` $output_init `:` type($output_init)
    (`,` $lse_init^ `:` type($lse_init))? `)` attr-dict `:` type($state)
    (`->` type($lse)^)?
  }];
  let hasVerifier = 1;
}

def SparseAttn_IsTrustedOp : SparseAttn_StateOp<"is_trusted", [Pure]> {
  let summary = "whether trusting steps were right to trust their operands";
  let description = [{
    True where, in each of the first `rows` rows, m, l and A are numbers, m is
    that of a finite score, and its product with the scale is small enough to be
    rounded. Whatever a trusting step cannot handle makes it false.
  }];
  let arguments = (ins SparseAttn_StateType:$state, Index:$rows,
                       F64Attr:$scale);
  let results = (outs I1:$result);
  let assemblyFormat = [{
    $state `rows` `(` $rows `)` `scale` `(` $scale `)` attr-dict
    `:` type($state)
  }];
}

#endif // SPARSEATTN_IR_STEPS_TD
