//===- TransposedTile.h - Elementwise ops that transpose --------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_TRANSPOSEDTILE_H
#define SPARSEATTN_LIB_CPU_TRANSPOSEDTILE_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sparse_attn::cpu {

/// Rewrites Z[n, k] = f(X[k, n], Y[n, k], y[n], ...) into loops over blocks of
/// `lanes` by `lanes` elements, which are transposed in registers: else each
/// element of X is loaded or stored by itself. Of a dimension whose size is not
/// known the last elements, fewer than a block, are left to an op of their own.
/// Fails, with the reason, on any other op.
LogicalResult lowerTransposedTile(RewriterBase &rewriter, linalg::GenericOp op,
                                  int64_t lanes);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_TRANSPOSEDTILE_H
