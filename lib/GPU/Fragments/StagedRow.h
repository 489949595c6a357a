//===- StagedRow.h - One row of a staged tile -------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_FRAGMENTS_STAGEDROW_H
#define SPARSEATTN_LIB_GPU_FRAGMENTS_STAGEDROW_H

#include "Fragment.h"

namespace mlir::sparse_attn::kernels {

/// The columns that the thread holds of any tile, of row `row` (i32, the same
/// for all threads) of a tile in shared memory.
Fragment loadStagedRow(OpBuilder &b, Location loc, const Threads &threads,
                       const StagedTile &tile, Value row);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FRAGMENTS_STAGEDROW_H
