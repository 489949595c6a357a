//===- DotProducts.h - Products along the lanes -----------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_DOTPRODUCTS_H
#define SPARSEATTN_LIB_CPU_DOTPRODUCTS_H

#include "Contraction.h"

namespace mlir::sparse_attn::cpu {

/// Rewrites C[m, n] += A[m, k] * B[n, k] (all f32 and static, the sum free to
/// be reassociated) into loops around a block of C, of which registers hold the
/// partial sums along k. Fails, with the reason, on any other op.
LogicalResult lowerDotProducts(RewriterBase &rewriter, linalg::GenericOp op,
                               RegisterFile file);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_DOTPRODUCTS_H
