//===- Describe.h - From IR to the description of a program -----*- C++ -*-===//
//
// In steps, as what a dimension means is lost when attention is lowered:
//
//   auto variants = splitBranches(func);
//   auto interface = describeInterface(variant.func); // attention on tensors
//   (run the NVVM pipeline)
//   auto program = describeProgram(variant.func, *interface);
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_DESCRIBE_DESCRIBE_H
#define SPARSEATTN_PACKAGE_DESCRIBE_DESCRIBE_H

#include "SparseAttn/Package/Files/Program.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparse_attn::package {

/// A function as it is for the sizes for which `when` is not 0.
struct FunctionVariant {
  SizeExpr when;
  func::FuncOp func;
};

/// A function for each way through the branches of `func` that choose among
/// attention by the sizes of its arguments: copies of it before it, and itself,
/// the last one, for all sizes that no other takes. A launcher takes the first
/// whose condition holds. Only what is in the function's own block counts; a
/// condition on anything but sizes is an error at what computes it.
FailureOr<SmallVector<FunctionVariant>> splitBranches(func::FuncOp func);

/// Names the sizes and finds the roles of what `func` takes and returns. Sizes
/// that the attention ops tie together are one size; a size that is static
/// anywhere is a constant everywhere. Call after --sparse-attn-plan for the
/// plans. Fills all but launches, workspaces and the places of results; a size
/// of a result that no argument has is ShapedType::kDynamic.
FailureOr<Program> describeInterface(func::FuncOp func);

/// Reads the launches off the host function that the NVVM pipeline has left.
/// Whatever a launcher without a compiler could not do, such as loops on the
/// host, is an error at the op that does it.
FailureOr<Program> describeProgram(func::FuncOp host, Program interface);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_DESCRIBE_DESCRIBE_H
