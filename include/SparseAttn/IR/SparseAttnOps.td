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
        ["getNamedTensors", "getParameters", "getTileNeeds",
         "createQueryOperands", "getStateType", "createInitialState",
         "createStep", "getStateTensorTypes", "createStore",
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
    r + Sk - Sq unless `origin(%head, %position)` gives the head index of head 0
    and the position of row 0 (tiles of a larger attention need it). A row with
    no live key gets O = 0 and LSE = -inf; one whose softmax is not defined, for
    a live score is NaN or +inf or all are -inf, gets NaN in both. `scale`
    defaults to 1 / sqrt(D). It is finite in f32, and written as MLIR writes
    numbers, with a decimal point (`1.0e-3`).

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
                       OptionalAttr<SparseAttn_PlanAttr>:$plan,
                       SparseAttn_Operand:$query, SparseAttn_Operand:$key,
                       SparseAttn_Operand:$value, Variadic<Index>:$origin,
                       Variadic<SparseAttn_Operand>:$inits);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `mask` `(` $mask `)` (`scale` `(` $scale^ `)`)? (`plan` `(` $plan^ `)`)?
    `ins` `(` $query `,` $key `,` $value `:`
      type($query) `,` type($key) `,` type($value) `)`
    (`origin` `(` $origin^ `)`)?
    `outs` `(` $inits `:` type($inits) `)` attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getInitsMutable(); }
    /// The effective scale: the attribute or 1 / sqrt(D).
    double getScaleValue();
    bool hasLse() { return getInits().size() == 2; }
    ShapedType getValueType() {
      return cast<ShapedType>(getValue().getType());
    }
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

#endif // SPARSEATTN_IR_OPS_TD
