//===- LaneReduction.h - Reductions along the rows of a tile ----*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_LANEREDUCTION_H
#define SPARSEATTN_LIB_CPU_LANEREDUCTION_H

#include "Contraction.h"

namespace mlir::sparse_attn::cpu {

/// Rewrites r[m] = reduce_n f(x[m, n], y[m], r[m]) by a maximum or a sum that
/// may be reassociated into a loop over m, with a vector of partial results
/// along n. Fails, with the reason, on any other op.
LogicalResult lowerLaneReduction(RewriterBase &rewriter, linalg::GenericOp op,
                                 RegisterFile file);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_LANEREDUCTION_H
