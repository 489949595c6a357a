//===- KeyTileLoops.h - The key tiles of a query tile -----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_KEYTILELOOPS_H
#define SPARSEATTN_LIB_TRANSFORMS_KEYTILELOOPS_H

#include "DataTiles.h"
#include "QueryTiles.h"
#include "RandomTables.h"
#include "SparseAttn/Plan/TableBounds.h"
#include "VisitLoop.h"

namespace mlir::sparse_attn::transforms {

class TableMask;

/// A share of a sequence of key tiles: part `part` of `count` equal ones, both
/// index values; null where there is only one part.
struct TilePart {
  Value part, count;
};

/// Emits the loops over the key tiles that one row class visits: for each
/// layout one for each of what is asked of the pairs of partial tiles, and one
/// over full tiles. Steps take `stepKeys` keys, which divide those of a
/// contiguous tile, or a tile of another layout.
class KeyTileLoops {
public:
  KeyTileLoops(MaskedReductionOpInterface op, const ReductionShapes &shapes,
               const RandomTables &tables, const plan::RowClass &cls,
               plan::TileShape tile, int64_t columns, int64_t stepKeys);

  /// The state after all tiles that `at` visits, or a part of them. `data`
  /// tells which those are where data decides on it.
  Value visit(OpBuilder &b, const QueryTile &at, const DataSpan &data,
              const TilePart &part = {});

private:
  /// What a loop does with its tiles.
  struct Kind {
    bool full;
    const mask::Pieces *where;
    const plan::Layout *layout;
    bool isOf(const TileRun &run) const;
  };
  static SmallVector<Kind> kindsOf(ArrayRef<TileRun> runs, Kind ofList);
  Value step(OpBuilder &b, const QueryTile &at, const DataSpan &data,
             ValueRange queryOperands, const KeyTile &keys, Kind kind,
             Value state);
  RowReach reachOf(OpBuilder &b, const QueryTile &at, const KeyTile &keys,
                   Kind kind);
  /// The first key of step t of a sequence of contiguous tiles.
  Value keyAt(OpBuilder &b, const VisitSequence &sequence, Value t) const;
  /// The keys of step t of a sequence, for the rows of `at`.
  KeyTile locate(OpBuilder &b, const QueryTile &at,
                 const VisitSequence &sequence, Value t, Kind kind) const;
  /// The loops over the tiles of a table.
  Value visitTable(OpBuilder &b, const QueryTile &at, const DataSpan &data,
                   ValueRange queryOperands, Value state);
  /// The step at place t of the table. `mask` tells partial tiles' pairs, where
  /// the op's own does not; `rows` are those that the query tile has, or null
  /// where it does not matter.
  Value stepOfTable(OpBuilder &b, const QueryTile &at, const DataSpan &data,
                    ValueRange queryOperands, Value t, bool full,
                    const TableMask *mask, const RowSpan &rows, Value state);
  /// The runs of tiles that the segments say, without those that data leaves
  /// out.
  SmallVector<TileRun> findRuns(OpBuilder &b, const DataSpan &data,
                                const TileExprVariables &variables) const;
  Value countOf(OpBuilder &b, const QueryTile &at,
                const VisitSequence &sequence, Kind kind);
  /// True when a step may pass the end of the keys.
  bool mayBeRagged() const;

  MaskedReductionOpInterface op;
  Location loc;
  const ReductionShapes &shapes;
  const RandomTables &tables;
  const plan::RowClass &cls;
  plan::TileShape tile;
  int64_t columns; ///< of the results that states are for
  int64_t stepKeys;
  bool isPaged; ///< keys are a pool of pages
  /// Whether a step may have keys of two pages, and is two, an i1; null where
  /// it never is.
  Value areCut;
  /// The live pairs of a table's partial tiles, where the mask costs more.
  std::optional<plan::TableBounds> tableBounds;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_KEYTILELOOPS_H
