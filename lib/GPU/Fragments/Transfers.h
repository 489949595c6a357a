//===- Transfers.h - Fragments to and from memory ---------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_FRAGMENTS_TRANSFERS_H
#define SPARSEATTN_LIB_GPU_FRAGMENTS_TRANSFERS_H

#include "Fragment.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn::kernels {

/// Loads a tile [rows, columns], or the values of rows, from global memory
/// into the threads that hold it; what lies past the end of the memory reads as
/// the padding.
FailureOr<Fragment> emitRead(OpBuilder &b, const Threads &threads,
                             vector::TransferReadOp op);

/// Stores such a fragment, but for what lies past the end.
LogicalResult emitWrite(OpBuilder &b, const Threads &threads,
                        vector::TransferWriteOp op, const Fragment &fragment);

/// Stores such a fragment to the rows of these numbers, a vector
/// [band][half], but for those that do not exist.
void emitWriteRows(OpBuilder &b, const Threads &threads, WriteRowsOp op,
                   const Fragment &fragment, Value numbers);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FRAGMENTS_TRANSFERS_H
