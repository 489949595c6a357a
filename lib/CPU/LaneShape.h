//===- LaneShape.h - How values of a body differ between lanes --*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_LANESHAPE_H
#define SPARSEATTN_LIB_CPU_LANESHAPE_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::sparse_attn::cpu {

/// What a value is from one lane to the next.
enum class LaneShape {
  Uniform,  ///< the same
  Linear,   ///< one more
  Climbing, ///< the same or one more, as a clamped index is
  Varying,
};

/// The shapes of the values of a body whose lanes run along one of its loops.
class LaneShapes {
public:
  LaneShapes(linalg::GenericOp op, unsigned laneLoop);

  LaneShape of(Value value) const;
  bool isUniform(Value value) const { return of(value) == LaneShape::Uniform; }
  /// Whether lanes read elements that certainly are neighbours.
  bool readsNeighbours(tensor::ExtractOp read) const;

private:
  linalg::GenericOp op;
  DenseMap<Value, LaneShape> shapes; ///< of what the body computes
};

/// Clones what the body of `op` computes of the loops' indices alone, as
/// scalars at `indices`, and maps it.
void cloneIndexing(OpBuilder &b, linalg::GenericOp op, ValueRange indices,
                   const LaneShapes &shapes, IRMapping &scalars);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_LANESHAPE_H
