//===- AttentionScores.h - What happens to scores --------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_IR_ATTENTIONSCORES_H
#define SPARSEATTN_LIB_IR_ATTENTIONSCORES_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// x + y, both indices, of which y may be null.
Value plus(OpBuilder &b, Location loc, Value x, Value y);

/// Has `step`, of the query tile `at`, compute with the scores that the op asks
/// for: soft cap, score region, bias and slopes, in this order.
void addScore(OpBuilder &b, AttentionOp op, StepOp step, const QueryTile &at);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_ATTENTIONSCORES_H
