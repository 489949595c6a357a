//===- ArgumentSizes.h - Sizes of arguments from --shape --------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_RUN_ARGUMENTSIZES_H
#define SPARSEATTN_TOOLS_RUN_ARGUMENTSIZES_H

#include "SparseAttn/Support/ShapeBindings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparse_attn::run_tool {

/// The arguments of a function, which are ranked tensors, and what the
/// attention ops that take them call their dimensions.
class ArgumentSizes {
public:
  explicit ArgumentSizes(func::FuncOp func);

  /// Tells `bindings` the names of all sizes of the arguments from `first` on,
  /// and which of them were given.
  void noteNames(unsigned first, support::ShapeBindings &bindings) const;

  /// The shape of argument `index`: the type's, with dynamic sizes bound. Fails
  /// for a size that is not given.
  llvm::Expected<SmallVector<int64_t>>
  bindShape(unsigned index, support::ShapeBindings &bindings) const;

  /// Tells `bindings` that `file` gives the sizes of argument `index`.
  void noteInput(unsigned index, ArrayRef<int64_t> shape, llvm::StringRef file,
                 support::ShapeBindings &bindings) const;

private:
  void addNames(Value value, ArrayRef<support::SizeName> sizes);
  void addName(Value value, unsigned dim, const support::SizeName &size);
  llvm::Expected<int64_t> bind(unsigned index, unsigned dim,
                               support::ShapeBindings &bindings) const;
  void noteStatic(unsigned index, unsigned dim, int64_t size,
                  support::ShapeBindings &bindings) const;
  /// Messages name the function so.
  std::string owner() const;

  mutable func::FuncOp func;
  /// A dimension of an argument has several names where the argument serves as
  /// several operands, and none where no attention takes it.
  SmallVector<SmallVector<SmallVector<support::SizeName, 2>>> names;
};

} // namespace mlir::sparse_attn::run_tool

#endif // SPARSEATTN_TOOLS_RUN_ARGUMENTSIZES_H
