//===- DataTiles.h - Key tiles that data leaves -----------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_DATATILES_H
#define SPARSEATTN_LIB_TRANSFORMS_DATATILES_H

#include "DocumentTiles.h"
#include "ListedTiles.h"

namespace mlir::sparse_attn::transforms {

/// What data leaves of the key tiles of a query tile.
struct DataSpan {
  DocumentSpan documents;
  ListedSpan listed;
  /// Where the query tile's rows begin in tables of rows; of packed heads, its
  /// one position.
  Value firstRow;
  /// The position of the first key in tables of keys, an index; null for 0.
  Value firstKey;
  explicit operator bool() const { return bool(firstRow); }

  /// What it leaves of a run of tiles.
  SmallVector<TileRun> clip(OpBuilder &b, Location loc, const TileRun &run,
                            const plan::Within &within) const;
};

/// What is known of the query tiles of a class.
struct DataTables {
  DocumentTable documents, listed;
};

/// What data says of key tiles, for the query tiles of each class.
class DataTiles {
public:
  DataTiles(OpBuilder &b, MaskedReductionOpInterface op,
            const ReductionShapes &shapes, const plan::Plan &plan)
      : loc(op.getLoc()), keys(plan.tile.keys), documents(b, op, shapes, plan),
        listed(b, op, shapes, plan) {}

  /// Emits the loops over all query tiles, if there is data to be read.
  DataTables findSpans(OpBuilder &b, const QueryTiles &tiles,
                       bool hasPackedHeads) const {
    return {documents.findSpans(b, tiles, hasPackedHeads),
            listed.markRows(b, tiles, hasPackedHeads)};
  }
  /// The span of the tile with ids (batch, slice of a query head, query tile).
  DataSpan spanAt(OpBuilder &b, const DataTables &tables, ValueRange ids,
                  const ReductionShapes &here) const;

private:
  Location loc;
  int64_t keys; ///< of a tile
  DocumentTiles documents;
  ListedTiles listed;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_DATATILES_H
