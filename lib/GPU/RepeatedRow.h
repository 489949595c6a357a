//===- RepeatedRow.h - One row for all rows of a tile -----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_REPEATEDROW_H
#define SPARSEATTN_LIB_GPU_REPEATEDROW_H

#include "Fragment.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn {

/// True for a read of one row of memory, which exists, as every row of a tile:
///
///   vector.transfer_read %row[%c0] {permutation_map = (d0) -> (0, d0)}
///     : memref<64xf16>, vector<128x64xf16>
bool isRepeatedRow(vector::TransferReadOp op);

/// The columns of it that the thread holds.
Fragment emitRepeatedRow(OpBuilder &b, const Threads &threads,
                         vector::TransferReadOp op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_GPU_REPEATEDROW_H
