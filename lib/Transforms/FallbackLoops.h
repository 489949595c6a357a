//===- FallbackLoops.h - The loops of a fallback path -----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_FALLBACKLOOPS_H
#define SPARSEATTN_LIB_TRANSFORMS_FALLBACKLOOPS_H

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::sparse_attn::transforms {

/// Emits what `loops`, a chain of loops over steps, compute from `initial` on,
/// and returns the state that they end with.
///
/// Loops over tiles become one loop, and so one copy of the step:
///
///   for t in [b0, e0): step(tile0(t), mask0)
///   for t in [b1, e1): step(tile1(t))
///   // becomes
///   for t in [b0, e0 + e1 - b1):
///     isBehind = t >= e0
///     step(isBehind ? tile1(t - e0 + b1) : tile0(t), isBehind ? true : mask0)
Value repeatLoops(OpBuilder &b, ArrayRef<scf::ForOp> loops, Value initial);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_FALLBACKLOOPS_H
