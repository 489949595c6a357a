//===- HostScalars.h - Formulas of what a host computes ---------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_DESCRIBE_HOSTSCALARS_H
#define SPARSEATTN_LIB_PACKAGE_DESCRIBE_HOSTSCALARS_H

#include "SparseAttn/Package/Files/Program.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::sparse_attn::package {

/// The integers of a host function as formulas over sizes and the device's
/// number of multiprocessors. Integers are taken
/// to be wide enough: where the formula's value fits its type, the host
/// computes the same.
class HostScalars {
public:
  void set(Value value, SizeExpr formula) { formulas[value] = formula; }

  /// Finds the formula of the result of an arithmetic operation, if it has one
  /// of at most kMaxLength. Operands come first.
  void visit(Operation *op);

  /// The formula of `value`, if it has one.
  std::optional<SizeExpr> find(Value value) const;

  /// The formula of `value`. Where there is none, reports the op that computes
  /// it, as needed for `what`.
  FailureOr<SizeExpr> get(Value value, StringRef what) const;

private:
  std::optional<SizeExpr> compute(Operation *op) const;

  llvm::DenseMap<Value, SizeExpr> formulas;
};

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_DESCRIBE_HOSTSCALARS_H
