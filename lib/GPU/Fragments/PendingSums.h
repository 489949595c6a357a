//===- PendingSums.h - Row sums that wait for the last tile -----*- C++ -*-===//
//
// The row sum of online softmax, l' = alpha l + sum_k P, is linear in l, so the
// four lanes that share a row may each keep the sum of their own columns and
// add them once, after the last tile, instead of by two shuffles in every tile.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_FRAGMENTS_PENDINGSUMS_H
#define SPARSEATTN_LIB_GPU_FRAGMENTS_PENDINGSUMS_H

#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"

namespace mlir::sparse_attn::kernels {

/// A constant zero, scalar or vector.
bool isZero(Value value);

/// True when `op` is linear in those of its operands that are pending sums, so
/// that it may be done on the lanes' parts: a sum of pending sums, one times
/// something else, or both at once.
bool staysPendingSum(Operation *op,
                     llvm::function_ref<bool(Value)> isPendingSum);

/// True when a loop that carries `arg` and yields `yielded` may carry the
/// lanes' parts.
bool carriesPendingSum(Value arg, Value yielded);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FRAGMENTS_PENDINGSUMS_H
