//===- ListedTiles.h - Key tiles of listed tokens ---------------*- C++ -*-===//
//
// Which tokens are global is known at run time where data lists them. Before
// the loops over tiles, and once for all heads, the tokens of each tile of keys
// and of each tile of queries are marked, and key tiles with a mark are
// numbered: so a query tile visits those between any two tiles without a look
// at the others, or all of them where it has a marked row itself.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_LISTEDTILES_H
#define SPARSEATTN_LIB_TRANSFORMS_LISTEDTILES_H

#include "DocumentTable.h"
#include "QueryTiles.h"
#include "VisitLoop.h"

namespace mlir::sparse_attn::transforms {

/// What listed tokens leave of the key tiles of a query tile; null where the op
/// has none.
struct ListedSpan {
  TilesOfList keyTiles; ///< those with a listed key
  Value hasRow;         ///< i1: whether a row of the query tile is listed
  /// tensor<B x rows of all tiles x i32> and tensor<B x keys of all tiles x
  /// i32>: 1 for what is listed, else 0.
  Value rowMarks, keyMarks;
  explicit operator bool() const { return bool(keyTiles); }

  /// What it leaves of a run of tiles.
  SmallVector<TileRun> select(OpBuilder &b, Location loc, const TileRun &run,
                              const plan::Within &within) const;
};

/// The listed tokens of key tiles, for the query tiles of each class.
class ListedTiles {
public:
  /// Emits the loops that read all tokens, if the op has any.
  ListedTiles(OpBuilder &b, MaskedReductionOpInterface op,
              const ReductionShapes &shapes, const plan::Plan &plan);

  /// Emits the loop that marks the rows of all query tiles; null where the op
  /// has no tokens.
  DocumentTable markRows(OpBuilder &b, const QueryTiles &tiles,
                         bool hasPackedHeads) const;
  /// The span of the tile with ids (batch, slice of a query head, query tile).
  ListedSpan spanAt(OpBuilder &b, const DocumentTable &rows, ValueRange ids,
                    const ReductionShapes &here) const;

private:
  void fill(OpBuilder &b, const ReductionShapes &shapes);
  void numberTiles(OpBuilder &b, const ReductionShapes &shapes);

  Location loc;
  Value tokens;
  /// The number of a key tile is 1 where a key of it is listed, else 0.
  DocumentTable table;
  Value numTiles; ///< of keys, index
  Value places;   ///< see TilesOfList
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_LISTEDTILES_H
