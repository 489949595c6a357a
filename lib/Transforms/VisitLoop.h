//===- VisitLoop.h - Loops over the visited tiles ---------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_VISITLOOP_H
#define SPARSEATTN_LIB_TRANSFORMS_VISITLOOP_H

#include "EmitTileExpr.h"
#include "SparseAttn/Plan/Plan.h"
#include "mlir/IR/Builders.h"

namespace mlir::sparse_attn::transforms {

/// A run of key tiles [begin, end) with end >= begin, as index values.
struct TileRun {
  Value begin, end;
  bool full;
  /// The live pairs of its tiles where the segment names them, else null.
  const mask::Pieces *where;
  /// Where the slots of its tiles stand.
  const plan::Layout *layout;
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
/// order, then the list. One loop, and so one copy of its body, serves all.
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
  SmallVector<TileRun> runs;
  TileList list;
  /// offsets[k]: number of tiles before run k; one more for the list.
  SmallVector<Value> offsets;
  Value count;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_VISITLOOP_H
