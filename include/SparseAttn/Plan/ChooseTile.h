//===- ChooseTile.h - Tile sizes for a mask ---------------------*- C++ -*-===//

#ifndef SPARSEATTN_PLAN_CHOOSETILE_H
#define SPARSEATTN_PLAN_CHOOSETILE_H

#include "SparseAttn/Plan/Plan.h"

namespace mlir::sparse_attn {

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
TileShape chooseCpuTile(const Mask &mask, int64_t headDim,
                        const LengthFacts &facts);

/// Tile sizes for the GPU kernel, heads of `headDim` elements of
/// `elementBytes` bytes.
///  - 128 queries x 64 keys: 4 or 8 warps whose accumulators fit the registers.
///  - Where all bounds of the mask are multiples of one block size, both sizes
///    divide it, as on the CPU.
///  - Heads of more than 128 elements, and elements of 4 bytes, get 64 queries
///    and 32 keys, for registers and shared memory.
///  - Never larger than known lengths need, in multiples of 16.
TileShape chooseGpuTile(const Mask &mask, int64_t headDim, int64_t elementBytes,
                        const LengthFacts &facts);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_PLAN_CHOOSETILE_H
