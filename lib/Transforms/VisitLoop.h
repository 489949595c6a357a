//===- VisitLoop.h - Loops over the visited tiles ---------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_VISITLOOP_H
#define SPARSEATTN_LIB_TRANSFORMS_VISITLOOP_H

#include "EmitTileExpr.h"
#include "SparseAttn/Plan/Plan.h"
#include "mlir/IR/Builders.h"

namespace mlir::sparse_attn::transforms {

/// Some key tiles of each sequence, in ascending order, for the sequence
/// `batch`: tensor<B x (tiles + 1) x 2 x i32>, of which number 0 of entry t
/// says how many of them come before tile t, and number 1 which one is at place
/// t.
struct TilesOfList {
  Value table, batch, numTiles;
  Value first = {}; ///< of the tiles in the table; null for tile 0
  explicit operator bool() const { return bool(table); }

  /// How many come before `tile`, an index as the result.
  Value countBefore(OpBuilder &b, Location loc, Value tile) const;
  /// The one at a place that there is.
  Value tileAt(OpBuilder &b, Location loc, Value place) const;
  /// Whether `tile` is none of those at the places [begin, end).
  Value leavesOut(OpBuilder &b, Location loc, Value tile, Value begin,
                  Value end) const;

private:
  Value numberOf(OpBuilder &b, Location loc, Value entry, int64_t number) const;
};

/// A run of key tiles [begin, end) with end >= begin, as index values.
struct TileRun {
  Value begin, end;
  bool full;
  /// The live pairs of its tiles where the segment names them, else null.
  const mask::Pieces *where;
  /// Where the slots of its tiles stand.
  const plan::Layout *layout;
  /// Where there is one, begin and end are places of this list.
  TilesOfList list = {};

  /// Whether a contiguous tile is none of the run, an i1.
  Value leavesOut(OpBuilder &b, Location loc, Value tile) const;
};

/// Tiles listed at run time: element t < count of a tensor<?xindex> (static
/// size, only `count` entries are meaningful).
struct TileList {
  Value tiles, count;
  explicit operator bool() const { return bool(tiles); }
};

/// Evaluates the segments of a class at query tile `variables.q`.
SmallVector<TileRun> emitRuns(OpBuilder &b, Location loc,
                              const plan::RowClass &cls,
                              const TileExprVariables &variables);

/// A sequence of key tiles of one kind, numbered 0 .. count - 1: the runs in
/// order, those of places behind all others, then the list. One loop, and so
/// one copy of its body, serves all.
class VisitSequence {
public:
  VisitSequence(OpBuilder &b, Location loc, ArrayRef<TileRun> runs,
                TileList list);

  /// True when there is certainly nothing to visit.
  bool empty() const { return runs.empty() && !list; }
  Value getCount() const { return count; }
  /// The key tile at place t.
  Value keyTile(OpBuilder &b, Location loc, Value t) const;

private:
  /// The tile at place t of the runs, and whether it is a place of a list.
  Value tileOfRuns(OpBuilder &b, Location loc, Value t) const;

  SmallVector<TileRun> runs;
  TileList list;
  /// offsets[k]: number of tiles before run k; one more for the list.
  SmallVector<Value> offsets;
  Value count;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_VISITLOOP_H
