//===- SlotTiles.h - Key tiles of slots with positions ----------*- C++ -*-===//
//
// Tiles of a plan begin at multiples of their size among positions. Where slots
// of keys stand at positions of their own, as those of a cache whose front was
// dropped do, the first tile that has keys may begin before the first of them,
// and its slots are those from there on.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_SLOTTILES_H
#define SPARSEATTN_LIB_TRANSFORMS_SLOTTILES_H

#include "ReductionShapes.h"
#include "VisitLoop.h"

namespace mlir::sparse_attn::transforms {

/// What the keys of a sequence with `shapes.slots` leave of the runs of a
/// plan, contiguous tiles of `keys` keys. Where a plan does not speak of them
/// all their tiles, and in any case those before position 0, are a run of
/// partial ones.
SmallVector<TileRun> clipToSlots(OpBuilder &b, Location loc,
                                 const ReductionShapes &shapes, int64_t keys,
                                 ArrayRef<TileRun> runs);

/// The key tile at which tables of the tiles of a sequence begin, of `keys`
/// keys each, an index; null for that at position 0.
Value firstTileOfSlots(OpBuilder &b, Location loc, const ReductionShapes &here,
                       int64_t keys);
/// How many tiles such tables have, for any of the sequences.
Value numTilesOfSlots(OpBuilder &b, Location loc, const ReductionShapes &shapes,
                      int64_t keys);

/// Moves a partial tile's first key to the first that there is, and counts the
/// rest; sets where the tensors have the keys of any tile.
void placeInSlots(OpBuilder &b, Location loc, const ReductionShapes &shapes,
                  bool isFull, KeyTile &keys);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_SLOTTILES_H
