//===- FlatTile.h - A staged tile shared out among threads ------*- C++ -*-===//
//
// To look at all elements of a tile in shared memory, as for a NaN, threads
// take 16 bytes each in turn, whatever rows and columns those belong to.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_FRAGMENTS_FLATTILE_H
#define SPARSEATTN_LIB_GPU_FRAGMENTS_FLATTILE_H

#include "Fragment.h"

namespace mlir::sparse_attn::kernels {

/// The thread's elements of a staged tile; some may be another thread's too.
Fragment loadFlat(OpBuilder &b, Location loc, const Threads &threads,
                  const StagedTile &tile);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FRAGMENTS_FLATTILE_H
