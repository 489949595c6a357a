//===- SparseAttnInterfaces.td - What a mask attribute is --*- tablegen -*-===//

#ifndef SPARSEATTN_IR_INTERFACES_TD
#define SPARSEATTN_IR_INTERFACES_TD

include "mlir/IR/OpBase.td"

def MaskAttrInterface : AttrInterface<"MaskAttrInterface"> {
  let cppNamespace = "::mlir::sparse_attn";
  let description = [{
    A set of (query position, key position) pairs that may attend. The interface
    is open: an attribute of another dialect that implements it works
    everywhere a built-in mask does. Two methods are required and must agree:
    `getMask`, the mask as a value that planning, counting and proving use, and
    `emitPredicate`, the same set as code for partial tiles. The others have
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
      key at `position.j`.
    }], "::mlir::Value", "emitPredicate",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
         "const ::mlir::sparse_attn::MaskPosition &":$position)>,
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
