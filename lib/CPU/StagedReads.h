//===- StagedReads.h - Reads of a tile of a tensor --------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_CPU_STAGEDREADS_H
#define SPARSEATTN_LIB_CPU_STAGEDREADS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sparse_attn::cpu {

/// Reads of a tensor in the body of an elementwise op on tiles, whose last
/// index climbs along one loop and whose others depend on the other loop alone,
/// such as B[h, min(i, last), min(j, end)], become a tile that is read before,
/// in vectors, and an operand of the op. Returns the op that then stands for
/// `op`.
linalg::GenericOp stageReads(RewriterBase &rewriter, linalg::GenericOp op,
                             int64_t lanes);

} // namespace mlir::sparse_attn::cpu

#endif // SPARSEATTN_LIB_CPU_STAGEDREADS_H
