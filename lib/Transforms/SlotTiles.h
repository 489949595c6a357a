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
/// partial ones. Where `areCut`, null for never, no tile is full.
SmallVector<TileRun> clipToSlots(OpBuilder &b, Location loc,
                                 const ReductionShapes &shapes, int64_t keys,
                                 Value areCut, ArrayRef<TileRun> runs);

/// Whether tiles of `keys` keys begin inside of what as many slots from slot 0
/// on are, so that keys of one may be in two pages; null where that cannot be.
Value emitAreCut(OpBuilder &b, Location loc, const ReductionShapes &shapes,
                 int64_t keys);

/// The `half` of a tile of `keys.size` keys, 0 or 1, that is before or behind
/// the end of such slots; of a tile that is not cut the first has all keys.
void takeHalf(OpBuilder &b, Location loc, const ReductionShapes &shapes,
              Value half, KeyTile &keys);

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

/// Sets which page of the pool of `op` has the keys of a tile of the sequence
/// `batch`, and where in it. Numbers in the table that are of no page count as
/// the nearest that is.
void placeInPage(OpBuilder &b, MaskedReductionOpInterface op, Value batch,
                 KeyTile &keys);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_SLOTTILES_H
