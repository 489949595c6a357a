//===- VectorBody.h - Bodies of linalg ops on vectors -----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_VECTORBODY_H
#define SPARSEATTN_LIB_CPU_VECTORBODY_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sparse_attn::cpu {

/// True when `cloneOnVectors` can make every op of the body: elementwise ops of
/// one result, none of which asks for the loops' indices.
bool isElementwiseBody(linalg::GenericOp op);

/// Clones the body of `op` with `args`, vector<lanes x type>, in the place of
/// its block arguments; returns what it yields. Scalars from outside the body
/// are broadcast.
SmallVector<Value> cloneOnVectors(OpBuilder &b, linalg::GenericOp op,
                                  ValueRange args, int64_t lanes);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_VECTORBODY_H
