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

include "SparseAttn/IR/SparseAttnMasks.td"
include "mlir/Dialect/SCF/IR/DeviceMappingInterface.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/ParallelCombiningOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def SparseAttn_GridAttr : SparseAttn_Attr<"Grid", "grid",
    [DeclareAttrInterfaceMethods<DeviceMappingAttrInterface>]> {
  let summary = "dimension `dim` of a grid that a target gives to threads or blocks";
  let description = [{
    The mapping of loops over query tiles, as long as no target has made them its
    own. As for all mapped loops, upstream's patterns leave those alone that run
    once: their bodies stay what one block computes.

    ```mlir
    scf.forall (%batch, %head, %tile) in (1, 1, 1) shared_outs(...) {
    } {mapping = [#sparse_attn.grid<0>, #sparse_attn.grid<1>, #sparse_attn.grid<2>]}
    ```
  }];
  let parameters = (ins "int64_t":$dim);
  let namedParameters = [];
  let assemblyFormat = "`<` $dim `>`";
}

def SparseAttn_StateType : TypeDef<SparseAttn_Dialect, "State"> {
  let mnemonic = "state";
  let summary = "what online softmax carries for the rows of a query tile";
  let description = [{
    Of each of `rows` queries a running maximum m, a row sum l and an accumulator
    A of `value_size` elements; `element_type` is that of the operands. How a
    target holds them is its own business.

    Steps on a `trusting` state leave out what rare operands need; what that is,
    the target decides. The state shows whether they were right to
    (`is_trusted`), and where they were, `settle` makes an exact state of it.

    ```mlir
    !sparse_attn.state<32x64xbf16>
    !sparse_attn.state<32x64xbf16, trusting>
    ```
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$value_size,
                        "Type":$element_type, "bool":$trusting);
  let builders = [
    TypeBuilder<(ins "int64_t":$rows, "int64_t":$value_size,
                     "Type":$element_type), [{
      return $_get($_ctxt, rows, value_size, element_type, /*trusting=*/false);
    }]>,
  ];
  let extraClassDeclaration = [{
    /// Whether A may be too large for f32. Sequences are shorter than 2^30, and
    /// no sum of so many f16 values is.
    bool mayOverflow() const { return !getElementType().isF16(); }
    /// The same state, whose steps trust their operands or not.
    StateType withTrust(bool trusting) const {
      return get(getContext(), getRows(), getValueSize(), getElementType(),
                 trusting);
    }
  }];
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
    AttrSizedOperandSegments, RecursiveMemoryEffects, RecursivelySpeculatable,
    TypesMatchWith<"state and result have one type", "state", "result",
                   "$_self">]> {
  let summary = "online softmax over one tile of keys";
  let description = [{
    For the queries of a tile, `query` [rows, D], and the keys of a tile, `key`
    [n, D] and `value` [n, Dv], with n <= `keys` (Milakov and Gimelshein 2018):

    ```text
    S  = scale * query key^T
    S  = score(S)                  where there is a score region
    S  = mask ? S : -inf           where there is a mask
    m' = max(m, max_k S)
    P  = exp(S - m'),  a = exp(m - m')
    l' = a l + sum_k P,  A' = a A + P value
    ```

    `mask` tells, for the position %i of a query and %j of a key, whether the
    query may attend to the key; without it, every query attends to every key
    and n = `keys`. Query r of the tile stands at `row_position` + r, key c at
    `key_position` + c, or, where `row_positions` or `key_positions` are in its
    place, at the r-th or c-th of them. The mask may use values from outside.

    Where there is a reach, the mask allows no pair of a query at a position before
    `live_begin`, or from `live_end` on: a target may leave such rows as they are,
    which is what the step does to them. Of those from `full_begin` on and before
    `full_end` it allows all pairs. Without a mask, positions outside of the reach
    are those past the end of the query tile.

    `score` makes of a score %s, scaled and in f32, the one that counts; it may
    depend on the `batch` and `head` that stand before it, on the positions, and
    on values from outside: a soft cap, a bias by distance. It has no side
    effects. It is computed for pairs that the mask leaves out as well, and for
    rows and keys past the end of a tile, none of which reaches the result. A
    score of -inf is a score still: only the mask leaves pairs out. What follows
    the steps of a state with such a region (`finish`, `is_trusted`,
    `merge_stored`) has scale(1.0), as the region's results are scaled.

    The result is exact up to rounding for whatever the operands hold: a masked
    key's NaN or infinity reaches nothing, a row of which all scores are -inf
    becomes NaN, and an accumulator stays finite where the result is (after
    `initial_state` at the cost of f32 results below 2^-90, which lose bits). A
    step on a `trusting` state need not be exact for all operands (see the pass
    `sparse-attn-trust-steps`).

    ```mlir
    %next = sparse_attn.step %state
      ins(%q, %k, %v : tensor<32x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>)
      at(%row_position, %key_position) keys(32) scale(2.5e-01) mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf32>

    %diagonal = sparse_attn.step %state
      ins(%q, %k, %v : tensor<32x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>)
      at(%row_position, %key_position) keys(32) scale(2.5e-01)
      reach(%first to %end) full(%second to %end) mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf32>

    %next = sparse_attn.step %state
      ins(%q, %k, %v : tensor<32x16xf32>, tensor<32x16xf32>, tensor<32x16xf32>)
      at(%row_position, %positions : tensor<32xi32>) keys(32) scale(2.5e-01)
      : !sparse_attn.state<32x16xf32>

    %capped = sparse_attn.step %state
      ins(%q, %k, %v : tensor<32x16xf32>, tensor<32x16xf32>, tensor<32x16xf32>)
      at(%row_position, %key_position) keys(32) scale(2.5e-01) score(%batch, %head) {
      ^bb0(%s: f32, %b: index, %h: index, %i: i32, %j: i32):
        %tanh = math.tanh %s : f32
        sparse_attn.yield %tanh : f32
      } : !sparse_attn.state<32x16xf32>
    ```
  }];
  let arguments = (ins SparseAttn_StateType:$state, AnyRankedTensor:$query,
                       AnyRankedTensor:$key, AnyRankedTensor:$value,
                       Optional<Index>:$row_position,
                       Optional<1DTensorOf<[I32]>>:$row_positions,
                       Optional<Index>:$key_position,
                       Optional<1DTensorOf<[I32]>>:$key_positions,
                       ConfinedAttr<I64Attr, [IntPositive]>:$keys,
                       F64Attr:$scale, Optional<I32>:$live_begin,
                       Optional<I32>:$live_end, Optional<I32>:$full_begin,
                       Optional<I32>:$full_end, Optional<Index>:$batch,
                       Optional<Index>:$head);
  let regions = (region MaxSizedRegion<1>:$score, MaxSizedRegion<1>:$mask);
  let results = (outs SparseAttn_StateType:$result);
  let assemblyFormat = [{
    $state `ins` `(` $query `,` $key `,` $value `:`
      type($query) `,` type($key) `,` type($value) `)`
    `at` `(`
      custom<Positions>($row_position, $row_positions, type($row_positions)) `,`
      custom<Positions>($key_position, $key_positions, type($key_positions)) `)`
    `keys` `(` $keys `)` `scale` `(` $scale `)`
    (`reach` `(` $live_begin^ `to` $live_end `)`)?
    (`full` `(` $full_begin^ `to` $full_end `)`)?
    (`score` `(` $batch^ `,` $head `)` $score)? (`mask` $mask^)? attr-dict
    `:` type($state)
  }];
  let extraClassDeclaration = [{
    bool hasMask() { return !getMask().empty(); }
    bool hasScore() { return !getScore().empty(); }
    bool hasReach() { return bool(getLiveBegin()); }
    /// Says nothing of rows any more.
    void dropReach();
    /// The scale that is left to ops on the state: what a score region yields is
    /// scaled.
    ::mlir::FloatAttr getStateScaleAttr();
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def SparseAttn_GatherRowsOp : SparseAttn_StateOp<"gather_rows", [Pure]> {
  let summary = "rows of a tensor that stand where a layout says";
  let description = [{
    Row m of the result is row `positions[m]` of source[at...], the last one of
    it where that is past the end. No position is negative, and the source has a
    row. Steps on such a tile have a mask where a position may be past the end.

    ```mlir
    %rows = sparse_attn.gather_rows %k[%b, %h] at %positions
        : tensor<1x4x?x64xf32>, tensor<32xi32> -> tensor<32x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$at,
                       1DTensorOf<[I32]>:$positions);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $source `[` $at `]` `at` $positions attr-dict `:` type($source) `,`
    type($positions) `->` type($result)
  }];
  let builders = [OpBuilder<(ins "Value":$source, "ValueRange":$at,
                                 "Value":$positions)>];
  let hasVerifier = 1;
}

def SparseAttn_ReadRowsOp : SparseAttn_StateOp<"read_rows", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "rows of a tensor or buffer, by their numbers, as a vector";
  let description = [{
    `gather_rows` on vectors, for targets that copy rows by themselves: row m of
    the result is row `positions[m]` of the source, the last one of it where that
    is past the end. No position is negative, and the source has a row.

    ```mlir
    %rows = sparse_attn.read_rows %keys at %positions
        : tensor<?x64xbf16>, vector<32xi32> -> vector<32x64xbf16>
    ```
  }];
  let arguments = (ins AnyTypeOf<[RankedTensorOf<[AnyFloat]>, AnyStridedMemRef]>:$source,
                       VectorOfRankAndType<[1], [I32]>:$positions);
  let results = (outs VectorOfRankAndType<[2], [AnyFloat]>:$result);
  let assemblyFormat = [{
    $source `at` $positions attr-dict `:` type($source) `,` type($positions)
    `->` type($result)
  }];
  let extraClassDeclaration = [{
    VectorType getVectorType() { return cast<VectorType>(getResult().getType()); }
  }];
  let hasVerifier = 1;
}

def SparseAttn_ScatterRowsOp : SparseAttn_StateOp<"scatter_rows", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ParallelCombiningOpInterface,
        ["getUpdatedDestinations", "getIteratingParent"]>]> {
  let summary = "rows of a tile to where a layout says, in a loop's result";
  let description = [{
    Among what an `scf.forall` combines, as `tensor.parallel_insert_slice` is:
    row m of the source becomes row `positions[m]` of dest[at...], from column
    `column` on where that is given. A row whose position is negative or past the
    end is left out. No two iterations, and no two rows of one, write the same
    row: that is undefined, as it is for slices that overlap.

    ```mlir
    scf.forall.in_parallel {
      sparse_attn.scatter_rows %tile into %out[%b, %h] at %positions
          : tensor<32x64xf32>, tensor<32xi32> into tensor<1x4x?x64xf32>
    }
    ```

    Source and positions become vectors where tiles do. Bufferised, it is a
    `write_rows` before the terminator.
  }];
  let arguments = (ins
      AnyTypeOf<[StaticShapeTensorOf<[AnyFloat]>, VectorOfRankAndType<[1, 2], [AnyFloat]>]>:$source,
      AnyRankedTensor:$dest, Variadic<Index>:$at, Optional<Index>:$column,
      AnyTypeOf<[1DTensorOf<[I32]>, VectorOfRankAndType<[1], [I32]>]>:$positions);
  let assemblyFormat = [{
    $source `into` $dest `[` $at `]` (`column` $column^)? `at` $positions
    attr-dict `:` type($source) `,` type($positions) `into` type($dest)
  }];
  let hasVerifier = 1;
}

def SparseAttn_WriteRowsOp : SparseAttn_StateOp<"write_rows", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "writes rows of a tile to rows of a buffer, by their numbers";
  let description = [{
    Row m of the source becomes row `positions[m]` of the buffer, in which rows
    are elements or have as many columns. A row whose position is negative or
    past the end is left out, and all others are different ones.

    ```mlir
    sparse_attn.write_rows %tile into %rows at %positions
        : vector<32x64xbf16>, vector<32xi32> into memref<?x64xbf16>
    ```
  }];
  let arguments = (ins
      AnyTypeOf<[AnyStridedMemRef, VectorOfRankAndType<[1, 2], [AnyFloat]>]>:$source,
      Arg<AnyStridedMemRef, "rows that are written">:$dest,
      AnyTypeOf<[AnyStridedMemRef, VectorOfRankAndType<[1], [I32]>]>:$positions);
  let assemblyFormat = [{
    $source `into` $dest `at` $positions attr-dict
    `:` type($source) `,` type($positions) `into` type($dest)
  }];
  let hasVerifier = 1;
}

def SparseAttn_YieldOp : SparseAttn_StateOp<"yield", [
    Pure, Terminator, ParentOneOf<["AttentionOp", "StepOp"]>]> {
  let summary = "what a region of an attention or of a step computes";
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def SparseAttn_StoreStateOp : SparseAttn_StateOp<"store_state", [
    Pure, TypesMatchWith<"maximum and its destination have one type", "maximum_init", "maximum", "$_self">,
    TypesMatchWith<"sum and its destination have one type", "sum_init", "sum", "$_self">,
    TypesMatchWith<"accumulator and its destination have one type", "accumulator_init", "accumulator", "$_self">]> {
  let summary = "a state as tensors: m [rows], l [rows], A [rows, Dv], all f32";
  let description = [{
    The results replace the destinations, as in destination-style operations.
    What m is a multiple of and how A is scaled is the target's choice: only
    `merge_stored` of the same scale may read them.
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

def SparseAttn_MergeStoredOp : SparseAttn_StateOp<"merge_stored", [Pure]> {
  let summary = "the state over the keys of several stored states";
  let description = [{
    Of states over disjoint keys, which `store_state` has written to the slices
    [..., p] of tensors m [..., P, rows], l [..., P, rows] and A [..., P, rows,
    Dv]; the leading dimensions are indexed:

    ```text
    m = max_p m_p,  l = sum_p l_p exp(m_p - m),  A likewise
    ```

    ```mlir
    %s = sparse_attn.merge_stored %m, %l, %a[%b, %h, %t] scale(2.5e-01)
        : tensor<1x4x2x16x32xf32>, tensor<1x4x2x16x32xf32>, tensor<1x4x2x16x32x64xf32>
        -> <32x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$maximum, AnyRankedTensor:$sum,
                       AnyRankedTensor:$accumulator, Variadic<Index>:$at,
                       F64Attr:$scale);
  let results = (outs SparseAttn_StateType:$state);
  let assemblyFormat = [{
    $maximum `,` $sum `,` $accumulator `[` $at `]` `scale` `(` $scale `)`
    attr-dict `:` type($maximum) `,` type($sum) `,` type($accumulator) `->`
    type($state)
  }];
  let hasVerifier = 1;
}

def SparseAttn_ResultStateOp : SparseAttn_StateOp<"result_state", [Pure]> {
  let summary = "the state that comes to a result: m = LSE, l = 1, A = O";
  let description = [{
    `output` is [r, Dv] of f16, bf16 or f32, `lse` [r], a natural logarithm; rows
    from r on have seen no key. Nor has a row whose LSE is -inf: its output is
    not read. The scale of the state is 1.

    ```mlir
    %s = sparse_attn.result_state %o, %lse : tensor<?x64xf32>, tensor<?xf32> -> <32x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$output, AnyRankedTensor:$lse);
  let results = (outs SparseAttn_StateType:$state);
  let assemblyFormat = [{
    $output `,` $lse attr-dict `:` type($output) `,` type($lse) `->` type($state)
  }];
  let hasVerifier = 1;
}

def SparseAttn_MergeStatesOp : SparseAttn_StateOp<"merge_states", [Pure,
    SameOperandsAndResultType]> {
  let summary = "the state over the keys of two states";
  let description = [{
    Of exact states over disjoint keys, as `merge_stored` does of many that are in
    memory. `scale` is that of all three.

    ```mlir
    %s = sparse_attn.merge_states %a, %b scale(1.0) : <32x64xf32>
    ```
  }];
  let arguments = (ins SparseAttn_StateType:$first,
                       SparseAttn_StateType:$second, F64Attr:$scale);
  let results = (outs SparseAttn_StateType:$state);
  let assemblyFormat = [{
    $first `,` $second `scale` `(` $scale `)` attr-dict `:` type($state)
  }];
  let hasVerifier = 1;
}

def SparseAttn_FinishOp : SparseAttn_StateOp<"finish", [Pure,
    AttrSizedOperandSegments,
    TypesMatchWith<"output and its destination have one type", "output_init", "output", "$_self">]> {
  let summary = "O = A / l, and LSE = m + ln l";
  let description = [{
    Of the rows that the destinations have, which may be fewer than the state's:
    `output_init` is [r, Dv], `lse_init` [r], or [0] at run time where another
    slice of the columns has the LSE of these rows. A row without a live key gets O = 0
    and LSE = -inf, one of which all scores are -inf gets NaN. `scale` is that of
    the steps, or 1 where they have a score region, which comes after it; steps
    are not decomposed otherwise.

    A sink is one more key, of that score and without a value: one of all rows
    (f32), or one of each row, in a tensor of [r].
  }];
  let arguments = (ins SparseAttn_StateType:$state,
                       AnyRankedTensor:$output_init,
                       Optional<AnyRankedTensor>:$lse_init, F64Attr:$scale,
                       Optional<AnyTypeOf<[F32, 1DTensorOf<[F32]>]>>:$sink);
  let results = (outs AnyRankedTensor:$output, Optional<AnyRankedTensor>:$lse);
  let assemblyFormat = [{
    $state `scale` `(` $scale `)` (`sink` `(` $sink^ `:` type($sink) `)`)?
    `outs` `(` $output_init `:` type($output_init)
    (`,` $lse_init^ `:` type($lse_init))? `)` attr-dict `:` type($state)
    (`->` type($lse)^)?
  }];
  let hasVerifier = 1;
}

def SparseAttn_IsTrustedOp : SparseAttn_StateOp<"is_trusted", [Pure]> {
  let summary = "whether trusting steps were right to trust their operands";
  let description = [{
    For the first `rows` rows. Whatever a trusting step of the target cannot
    handle makes it false: a NaN or an infinity in A does on all targets.
  }];
  let arguments = (ins SparseAttn_StateType:$state, Index:$rows,
                       F64Attr:$scale);
  let results = (outs I1:$result);
  let assemblyFormat = [{
    $state `rows` `(` $rows `)` `scale` `(` $scale `)` attr-dict
    `:` type($state)
  }];
  let hasVerifier = 1;
}

def SparseAttn_RestartOp : SparseAttn_StateOp<"restart", [Pure]> {
  let summary = "the state before any key, for loops that run once more";
  let description = [{
    In the place of a trusting state that was not right to trust. Where its
    accumulator is not finite, steps from here on weigh values so that it stays
    finite. The new state is exact, or trusting for the same steps as before; then
    it is always trusted.

    ```mlir
    %again = sparse_attn.restart %t : <32x64xf32, trusting> -> <32x64xf32>
    ```
  }];
  let arguments = (ins SparseAttn_StateType:$state);
  let results = (outs SparseAttn_StateType:$result);
  let assemblyFormat = "$state attr-dict `:` type($state) `->` type($result)";
  let hasVerifier = 1;
}

def SparseAttn_SettleOp : SparseAttn_StateOp<"settle", [Pure]> {
  let summary = "the exact state that a trusting one stands for";
  let description = [{
    Where the trust was right; elsewhere the result means nothing.
  }];
  let arguments = (ins SparseAttn_StateType:$state);
  let results = (outs SparseAttn_StateType:$result);
  let assemblyFormat = "$state attr-dict `:` type($state) `->` type($result)";
  let hasVerifier = 1;
}

#endif // SPARSEATTN_IR_STEPS_TD
