//===- SparseAttnDialect.td - The sparse_attn dialect ------*- tablegen -*-===//

#ifndef SPARSEATTN_IR_DIALECT_TD
#define SPARSEATTN_IR_DIALECT_TD

include "mlir/IR/OpBase.td"

def SparseAttn_Dialect : Dialect {
  let name = "sparse_attn";
  let summary = "Attention over a declared set of (query, key) pairs";
  let description = [{
    The dialect says *which* pairs of query and key positions may attend, as an
    attribute the compiler can analyse, and leaves *how* to the compiler: it
    plans which tiles are empty, full or partial, and emits one kernel for
    exactly those tiles. Softmax is exact.
  }];
  let cppNamespace = "::mlir::sparse_attn";
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect",
                            "tensor::TensorDialect"];
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerTypes();
    /// The generated parser, whose errors also say what there is.
    ::mlir::Attribute parseAttribute(::mlir::DialectAsmParser &parser,
                                     ::mlir::Type type) const override;
    void printAttribute(::mlir::Attribute attribute,
                        ::mlir::DialectAsmPrinter &printer) const override;
    /// Reports an op that does not exist, with those that do.
    std::optional<ParseOpHook>
    getParseOperationHook(::llvm::StringRef name) const override;
  }];
}

#endif // SPARSEATTN_IR_DIALECT_TD
