//===- Contraction.h - Register-tiled contractions --------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_CONTRACTION_H
#define SPARSEATTN_LIB_CPU_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::sparse_attn::cpu {

/// The vector registers a micro-kernel may use.
struct RegisterFile {
  int64_t lanes = 16;
  int64_t registers = 32;
};

/// Whether `op` is C += A B on static f32 tiles, over two parallel loops and
/// one along which products are added up.
bool isProductOfTiles(linalg::GenericOp op);

/// Whether the sum of such a product may be reassociated.
bool mayReassociate(linalg::GenericOp op);

/// Rewrites C[m, n] += A[m, k] * B[k, n] (A in either order, all f32 and
/// static) into loops around a block of C in registers. Fails, with the reason,
/// on any other op.
LogicalResult lowerContraction(RewriterBase &rewriter, linalg::GenericOp op,
                               RegisterFile file);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_CONTRACTION_H
