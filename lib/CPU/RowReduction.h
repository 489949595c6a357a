//===- RowReduction.h - Reductions over the rows of a tile ------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_ROWREDUCTION_H
#define SPARSEATTN_LIB_CPU_ROWREDUCTION_H

#include "Contraction.h"

namespace mlir::sparse_attn::cpu {

/// Rewrites r[n] = reduce_k f(x[k, n], y[n], ...), which may store elementwise
/// results z[k, n] too, into loops that carry r in registers. Fails, with the
/// reason, on any other op.
LogicalResult lowerRowReduction(RewriterBase &rewriter, linalg::GenericOp op,
                                RegisterFile file);

/// Fuses an elementwise producer of the tile that `op` reduces into it, so that
/// one pass over the tile does both.
LogicalResult fuseIntoRowReduction(RewriterBase &rewriter,
                                   linalg::GenericOp op);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_ROWREDUCTION_H
