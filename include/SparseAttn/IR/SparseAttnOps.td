//===- SparseAttnOps.td - Operations -----------------------*- tablegen -*-===//

#ifndef SPARSEATTN_IR_OPS_TD
#define SPARSEATTN_IR_OPS_TD

include "SparseAttn/IR/SparseAttnPlan.td"
include "SparseAttn/IR/MaskedReduction.td"
include "SparseAttn/IR/SparseAttnSteps.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

def SparseAttn_Operand : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef]>;

def SparseAttn_AttentionOp : Op<SparseAttn_Dialect, "attention", [
    AttrSizedOperandSegments,
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MaskedReductionOpInterface,
        ["getDataOperand", "getNamedTensors", "getParameters", "getTileNeeds",
         "createQueryOperands", "getStateType", "createInitialState",
         "createStep", "takesKeyLayouts", "takesRowLayouts", "takesParts",
         "takesPackedHeads", "createMerge",
         "getStateTensorTypes", "createStore",
         "createMergeStored", "createFinish"]>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>,
    DeclareOpInterfaceMethods<TilingInterface,
        ["getLoopIteratorTypes", "getIterationDomain",
         "getTiledImplementation", "getResultTilePosition",
         "generateResultTileValue"]>]> {
  let summary = "exact attention over the (query, key) pairs of a mask";
  let description = [{
    The mask says which (query, key) pairs may attend; these are live.

    ```text
    O[b, h, r, :] = sum over live j of
        softmax_j(scale * Q[b, h, r, :] . K[b, h / G, j, :]) * V[b, h / G, j, :]
    ```

    with G = Hq / Hkv.

    Shapes: Q [B, Hq, Sq, D], K [B, Hkv, Sk, D], V [B, Hkv, Sk, Dv], O
    [B, Hq, Sq, Dv]; the optional second result is the log-sum-exp of the
    scaled scores, [B, Hq, Sq] f32, natural logarithm. Row r stands at position
    r + Sk - Sq unless the op is a tile of a larger attention, of which `origin`
    says where the tile is: `origin(%head, %position)` the head index of head 0
    and the position of row 0, and where there are data operands or a score region
    `origin(%batch, %head, %row, %queries)` the indices of batch 0, head 0 and
    row 0 and how many rows a head of the larger one has. A row with
    no live key gets O = 0 and LSE = -inf; one whose softmax is not defined, for
    a live score is NaN or +inf or all are -inf, gets NaN in both. `scale`
    defaults to 1 / sqrt(D). It is finite in f32, and written as MLIR writes
    numbers, with a decimal point (`1.0e-3`).

    `softcap(c)` bounds scores softly, as Gemma 2 does: softmax and LSE are of
    c tanh(s / c) for a scaled score s. An infinite score is one of c or -c
    then. c is positive; c and scale / c are normal numbers of f32.

    `data` names operands that are known at run time only, each but `extra` at most
    once:

    | name | type | meaning |
    |---|---|---|
    | `key_lengths` | `tensor<Bxi32>` | sequence b has Lk = `key_lengths[b]` keys; those behind do not exist, whatever memory holds |
    | `query_lengths` | `tensor<Bxi32>` | and Lq = `query_lengths[b]` queries; rows behind them get O = 0 and LSE = -inf |
    | `key_begin` | `tensor<Bxi32>` | slots before `key_begin[b]` hold no key |
    | `key_position` | `tensor<i64>` or `tensor<Bxi64>` | slot c stands at position c + `key_position[b]`, and N = `key_position[b]` + Lk |
    | `query_position` | `tensor<i64>` or `tensor<Bxi64>` | row r stands at position r + `query_position[b]`, not where the last row is at the last key |
    | `page_table` | `tensor<BxPxi32>` | K and V are pools [pages, Hkv, page, D], and slot c is in page `page_table[b, c / page]`; Sk = P page |
    | `documents` | `tensor<BxSkxi32>` | `documents[b, x]` is the document of position x in sequence b, for the mask `document` |
    | `global_tokens` | `tensor<BxGxi32>` | row b lists the global positions of sequence b, for the mask `global<listed>`; entries outside of [0, N) are none |
    | `bias` | f32, broadcast to [B, Hq, Sq, Sk] as NumPy does | is added to scores; a dimension of 1 in the type is that of all |
    | `slopes` | `tensor<Hqxf32>` | `slopes[h]` \|i - j\| is taken off scores (ALiBi) |
    | `extra` | any tensor, any number of them | is read by the score region |
    | `sinks` | `tensor<Hqxf32>` | the softmax of head h has exp(`sinks[h]`) in its denominator, which no value belongs to |

    Lengths below 0 count as 0, and those above Sk and Sq as these. Row r of
    sequence b stands at position r + Lk - Lq then, and the mask is that of a
    sequence of Lk keys: a negative token counts from Lk. Where a name is absent,
    Lk = Sk and Lq = Sq. LSE includes the sink: a row without a live key gets O = 0
    and LSE = `sinks[h]`. A sink of -inf is none, and one of +inf or NaN makes its
    rows NaN.

    A score region computes scores anew, after scale and soft cap, and before bias
    and slopes:

    ```mlir
    %o = sparse_attn.attention mask(#sparse_attn.causal)
        ins(%q, %k, %v : tensor<1x8x256x64xf16>, tensor<1x2x256x64xf16>,
                         tensor<1x2x256x64xf16>)
        outs(%init : tensor<1x8x256x64xf16>) score {
        ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
          %distance = arith.subi %i, %j : index
          %d = arith.index_cast %distance : index to i32
          %x = arith.sitofp %d : i32 to f32
          %slope = tensor.extract %slopes[%h] : tensor<8xf32>
          %y = arith.mulf %slope, %x : f32
          %t = arith.subf %s, %y : f32
          sparse_attn.yield %t : f32
        } -> tensor<1x8x256x64xf16>
    ```

    %b and %h are the batch and the query head, %i and %j the positions of query
    and key, in the larger attention where the op is a tile. It has no side
    effects and no operations with regions. It may be asked for pairs that the mask leaves out, of queries and keys
    that there are. A score of -inf weighs nothing, and one of NaN makes its row NaN.

    Destination-style: on tensors the results tie to the inits; on memrefs
    there are no results and the inits are written. Passes that lower it need a
    plan, which `sparse-attn-plan` attaches.

    ```mlir
    %o, %lse = sparse_attn.attention mask(#sparse_attn.causal) scale(1.25e-01)
        ins(%q, %k, %v : tensor<1x8x256x64xf16>, tensor<1x2x256x64xf16>,
                         tensor<1x2x256x64xf16>)
        outs(%init, %lse_init : tensor<1x8x256x64xf16>, tensor<1x8x256xf32>)
        -> tensor<1x8x256x64xf16>, tensor<1x8x256xf32>
    ```
  }];
  let arguments = (ins MaskAttrInterface:$mask, OptionalAttr<F64Attr>:$scale,
                       OptionalAttr<F64Attr>:$softcap,
                       OptionalAttr<SparseAttn_PlanAttr>:$plan,
                       OptionalAttr<StrArrayAttr>:$data_names,
                       SparseAttn_Operand:$query, SparseAttn_Operand:$key,
                       SparseAttn_Operand:$value,
                       Variadic<SparseAttn_Operand>:$data,
                       Variadic<Index>:$origin,
                       Variadic<SparseAttn_Operand>:$inits);
  let regions = (region MaxSizedRegion<1>:$score);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `mask` `(` $mask `)` (`scale` `(` $scale^ `)`)?
    (`softcap` `(` $softcap^ `)`)? (`plan` `(` $plan^ `)`)?
    `ins` `(` $query `,` $key `,` $value `:`
      type($query) `,` type($key) `,` type($value) `)`
    custom<Data>($data, type($data), $data_names)
    (`origin` `(` $origin^ `)`)?
    `outs` `(` $inits `:` type($inits) `)` (`score` $score^)? attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getInitsMutable(); }
    bool hasScore() { return !getScore().empty(); }
    /// Whether `origin` says where the op is by batch, head and row.
    bool isPlacedByRow() { return hasScore() || !getData().empty(); }
    /// Whether scores are more than scaled products: capped, or computed anew.
    bool changesScores();
    /// The same op on other operands, of the same names where they are data.
    AttentionOp createLike(OpBuilder &b, TypeRange results, Value query,
                           Value key, Value value, ValueRange data,
                           ValueRange origin, ValueRange inits);
    /// The effective scale: the attribute or 1 / sqrt(D).
    double getScaleValue();
    /// The bound of scores, where there is one.
    std::optional<double> getSoftcapValue();
    bool hasLse() { return getInits().size() == 2; }
    ShapedType getValueType() {
      return cast<ShapedType>(getValue().getType());
    }
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
}

def SparseAttn_MergeOp : Op<SparseAttn_Dialect, "merge", [Pure,
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>,
    TypesMatchWith<"output and its destination have one type", "output_init", "output", "$_self">,
    TypesMatchWith<"log-sum-exp and its destination have one type", "lse_init", "lse", "$_self">]> {
  let summary = "attention over two disjoint sets of keys, from that over each";
  let description = [{
    Of results (O1, LSE1) and (O2, LSE2) of the same queries over disjoint keys,
    as `sparse_attn.attention` gives them, those over all of these keys:

    ```text
    LSE = ln(exp(LSE1) + exp(LSE2)),   O = O1 exp(LSE1 - LSE) + O2 exp(LSE2 - LSE)
    ```

    A shared prefix is attended to once for many sequences that way.

    Shapes: O1, O2 and O [B, Hq, Sq, Dv], all of f16, bf16 or f32; LSE [B, Hq, Sq] f32, natural logarithms. Sums are f32. Where LSE1 is
    -inf (no live key), O1 is not read and the result is the other one, exactly;
    without any live key O = 0 and LSE = -inf. NaN in an LSE makes both results
    NaN.

    ```mlir
    %o, %lse = sparse_attn.merge
        ins(%o1, %lse1, %o2, %lse2 : tensor<1x8x256x64xf16>, tensor<1x8x256xf32>,
                                     tensor<1x8x256x64xf16>, tensor<1x8x256xf32>)
        outs(%init, %lse_init : tensor<1x8x256x64xf16>, tensor<1x8x256xf32>)
        -> tensor<1x8x256x64xf16>, tensor<1x8x256xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$first, AnyRankedTensor:$first_lse,
                       AnyRankedTensor:$second, AnyRankedTensor:$second_lse,
                       AnyRankedTensor:$output_init, AnyRankedTensor:$lse_init);
  let results = (outs AnyRankedTensor:$output, AnyRankedTensor:$lse);
  let assemblyFormat = [{
    `ins` `(` $first `,` $first_lse `,` $second `,` $second_lse `:`
      type($first) `,` type($first_lse) `,` type($second) `,`
      type($second_lse) `)`
    `outs` `(` $output_init `,` $lse_init `:` type($output_init) `,`
      type($lse_init) `)` attr-dict `->` type($output) `,` type($lse)
  }];
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() {
      return MutableOperandRange(*this, 4, 2);
    }
  }];
  let hasVerifier = 1;
}

def SparseAttn_SmCountOp : Op<SparseAttn_Dialect, "sm_count", [Pure]> {
  let summary = "the number of multiprocessors of the device that kernels run on";
  let description = [{
    At least 1. Host code decides by it into how many parts work is cut, and by
    which plan. Who launches the kernels knows it: in a package it is the size
    `sm_count` of formulas, and `sparse-attn-set-sm-count` makes it a constant.

    ```mlir
    %sms = sparse_attn.sm_count
    ```
  }];
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def SparseAttn_LaunchArgumentOp : Op<SparseAttn_Dialect, "launch_argument",
    [Pure, SameOperandsAndResultType]> {
  let summary = "a number that host code computes for a launch, and kernels take";
  let description = [{
    The operand. Kernels compute the sizes that they need from those of their
    buffers; this one they cannot, as it follows from the device, or should not.

    ```mlir
    %parts = sparse_attn.launch_argument %wanted
    ```
  }];
  let arguments = (ins Index:$value);
  let results = (outs Index:$result);
  let assemblyFormat = "$value attr-dict";
}

#endif // SPARSEATTN_IR_OPS_TD
