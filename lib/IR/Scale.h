//===- Scale.h - Scales of scores -------------------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_IR_SCALE_H
#define SPARSEATTN_LIB_IR_SCALE_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// Rejects a scale that f32 has no finite number for. Scores are computed in
/// f32, whatever type the attribute has.
LogicalResult verifyScale(Operation *op, const APFloat &scale);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_SCALE_H
