//===- Axes.h - Whether a vector runs along rows or columns -----*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_DISTRIBUTION_AXES_H
#define SPARSEATTN_LIB_GPU_DISTRIBUTION_AXES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/IntEqClasses.h"

namespace mlir::sparse_attn::kernels {

/// Gives every use of a position vector (a vector.step and what elementwise
/// operations make of it) a copy of its own. Where query and key tiles have the
/// same number of rows, one vector stands for the numbers of both.
void separatePositions(gpu::LaunchOp launch);

/// A vector<N> in a kernel holds something of each query row (a running
/// maximum) or of each key column (a key's position), and its type does not
/// say which. Values that elementwise operations and loops tie together run
/// along the same axis; a reduction over columns leaves rows, and a broadcast
/// to a tile shows the axis by whether a transpose follows.
class Axes {
public:
  explicit Axes(gpu::LaunchOp launch);

  /// True where `value`, of rank 1, runs along the columns. What nothing ties
  /// to an axis counts as rows.
  bool isAlongColumns(Value value) const;

private:
  void number(Value value);
  void tie(Value a, Value b);
  void visit(Operation *op);

  llvm::DenseMap<Value, unsigned> numbers;
  llvm::SmallVector<std::pair<unsigned, unsigned>> ties;
  llvm::SmallVector<unsigned> alongColumns;
  llvm::DenseSet<unsigned> columnClasses;
  llvm::IntEqClasses classes;
};

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_DISTRIBUTION_AXES_H
