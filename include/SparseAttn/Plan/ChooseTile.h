//===- ChooseTile.h - Tile sizes for a mask ---------------------*- C++ -*-===//

#ifndef SPARSEATTN_PLAN_CHOOSETILE_H
#define SPARSEATTN_PLAN_CHOOSETILE_H

#include "SparseAttn/Plan/Plan.h"

namespace mlir::sparse_attn::plan {

/// The tile for the CPU kernel, f32 lanes, heads of `headDim` elements.
///  - 48 queries x 64 keys: three vectors of 16 queries leave registers for
///    the keys' broadcasts, and the tile of scores stays in the first cache.
///  - 32 x 32 for windows: every query tile has two cut edges, and what they
///    waste grows with the tile (measured against 48 x 64 on Zen 4, 2 threads:
///    a tenth of the time of Longformer's window of 512, for 2% on dense).
///  - Where all bounds of the mask are multiples of one block size, both sizes
///    divide the block: tiles are then full or empty, and none is partial but
///    at a ragged end.
///  - Heads of more than 128 elements get 32 keys, for the same cache.
///  - Never larger than known lengths need: queries a multiple of 16 and keys
///    a multiple of 8.
TileShape chooseCpuTile(const mask::Mask &mask, int64_t headDim,
                        const LengthFacts &facts);

/// What a GPU kernel's tiles have to fit.
struct GpuTileNeeds {
  int64_t headDim, valueDim; ///< elements of a row of K and of V
  int64_t elementBytes;
  int64_t stages = 2; ///< tiles of K and V in shared memory at a time
  /// Shared memory of a block, in bytes; 0 for no limit.
  int64_t sharedLimit = 0;

  /// What a tile takes of it, queries included, but no lists of drawn tiles.
  int64_t sharedBytes(TileShape tile) const;
};

/// Tile sizes for the GPU kernel.
///  - 128 queries x 64 keys: 4 or 8 warps whose accumulators fit the registers.
///  - Where all bounds of the mask are multiples of one block size, both sizes
///    divide it, as on the CPU.
///  - Heads of more than 128 elements, and elements of 4 bytes, get 64 queries
///    and 32 keys, for registers.
///  - Fewer keys, then fewer queries, where shared memory asks for it, lists of
///    drawn tiles included. The
///    smallest tile, 16 x 16, may still not fit.
///  - Never larger than known lengths need, in multiples of 16.
TileShape chooseGpuTile(const mask::Mask &mask, const GpuTileNeeds &needs,
                        const LengthFacts &facts);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_CHOOSETILE_H
