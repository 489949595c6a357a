//===- SparseAttnInterfaces.td - What a mask attribute is --*- tablegen -*-===//

#ifndef SPARSEATTN_IR_INTERFACES_TD
#define SPARSEATTN_IR_INTERFACES_TD

include "mlir/IR/OpBase.td"

def MaskAttrInterface : AttrInterface<"MaskAttrInterface"> {
  let cppNamespace = "::mlir::sparse_attn";
  let description = [{
    A set of (query position, key position) pairs that may attend. The interface
    is open: an attribute of another dialect that implements it works
    everywhere a built-in mask does. `getMask` is the mask as a value, which
    planning, counting and proving use. The code for partial tiles is generated
    from the pieces of that value; only a mask that has nodes of its own without
    pieces brings `emitPredicate`, the same set as code. The other methods have
    defaults: no check, no simplification.
  }];
  let methods = [
    InterfaceMethod<[{
      The mask as a value. `nk` is Sk where it is known at compile time; only
      masks whose very shape depends on the length need it.
    }], "::mlir::sparse_attn::Mask", "getMask",
    (ins "::std::optional<int64_t>":$nk)>,
    InterfaceMethod<[{
      Emits the `i1` that is true when the query at `position.i` may attend the
      key at `position.j`; null, by default, for a mask whose pieces say it.
      Call `emitMask`, which works for all masks.
    }], "::mlir::Value", "emitPredicate",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
         "const ::mlir::sparse_attn::MaskPosition &":$position),
    /*methodBody=*/"", /*defaultImplementation=*/"return {};">,
    InterfaceMethod<[{
      The data operand that the mask itself reads, not its members; by default
      none. An op with that mask has it.
    }], "::llvm::StringRef", "getDataOperandName", (ins),
    /*methodBody=*/"", /*defaultImplementation=*/"return {};">,
    InterfaceMethod<[{
      Checks what depends on the lengths (tokens in range, ...); nullopt where
      a length is dynamic.
    }], "::llvm::LogicalResult", "verifyLengths",
    (ins "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError,
         "::std::optional<int64_t>":$nq, "::std::optional<int64_t>":$nk),
    /*methodBody=*/"", /*defaultImplementation=*/"return success();">,
    InterfaceMethod<[{
      An equivalent mask in simpler form, or itself.
    }], "::mlir::sparse_attn::MaskAttrInterface", "simplify", (ins),
    /*methodBody=*/"", /*defaultImplementation=*/"return $_attr;">,
  ];
}

#endif // SPARSEATTN_IR_INTERFACES_TD
