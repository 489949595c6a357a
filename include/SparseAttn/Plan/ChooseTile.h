//===- ChooseTile.h - Tile sizes for a mask ---------------------*- C++ -*-===//

#ifndef SPARSEATTN_PLAN_CHOOSETILE_H
#define SPARSEATTN_PLAN_CHOOSETILE_H

#include "SparseAttn/Plan/Plan.h"
#include "SparseAttn/Target/Target.h"

namespace mlir::sparse_attn::plan {

/// What a kernel keeps of its tiles, and where it must fit.
struct TileMemory {
  /// Elements of a row of K, and of V as it is cut (ColumnGroups.h).
  int64_t headDim, valueDim;
  int64_t elementBytes;
  int64_t stages = 2; ///< tiles of K and V in shared memory at a time
  /// Shared memory of a block, in bytes; 0 for no limit.
  int64_t sharedLimit = 0;

  /// What a tile takes of it, queries included, but no lists of drawn tiles.
  int64_t sharedBytes(TileShape tile) const;
};

/// The tile for a mask by a target's rules.
///  - Where all bounds of the mask are multiples of one block size, both sizes
///    divide the block: tiles are then full or empty, and none is partial but
///    at a ragged end. Else the usual tile, or that for windows.
///  - No larger than the target has it for such heads; then with fewer keys
///    still, so that they divide the block, unless that is 16 tiles long.
///  - Never larger than known lengths need.
///  - Fewer keys, then fewer queries, where shared memory asks for it, lists of
///    drawn tiles included. The smallest tile, 16 x 16, may still not fit.
TileShape chooseTile(const mask::Mask &mask, const target::TileRules &rules,
                     const TileMemory &memory, const LengthFacts &facts);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_CHOOSETILE_H
