//===- VectorBody.h - Bodies of linalg ops on vectors -----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_VECTORBODY_H
#define SPARSEATTN_LIB_CPU_VECTORBODY_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sparse_attn::cpu {

/// True when `cloneOnVectors` can make every op of the body with lanes along
/// `laneLoop`: elementwise ops of one result, indices of loops, and reads of
/// one element of a tensor, or of neighbours in neighbouring lanes.
bool isElementwiseBody(linalg::GenericOp op, unsigned laneLoop);

/// Which elements of a body's domain the lanes of a vector are.
struct LanePlace {
  unsigned loop;    ///< the one that lanes run along
  ValueRange first; ///< the index of each loop at the first lane
  int64_t lanes = 1;
};

/// Clones the body of `op` with `args`, vector<lanes x type>, in the place of
/// its block arguments; returns what it yields. What is the same in all lanes
/// is computed once, and broadcast where a vector needs it.
SmallVector<Value> cloneOnVectors(OpBuilder &b, linalg::GenericOp op,
                                  ValueRange args, const LanePlace &place);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_VECTORBODY_H
