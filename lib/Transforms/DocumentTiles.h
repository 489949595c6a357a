//===- DocumentTiles.h - Key tiles of documents -----------------*- C++ -*-===//
//
// Documents are known at run time, so which key tiles have one of those that
// the rows of a query tile are of is found out before the loops over tiles: of
// each key tile the least and the greatest id, and of each query tile the first
// and the last key tile whose ids meet its own. That is one step for each pair
// of tiles, and done once for all heads. Ids are laid out anew on the way, tile
// by tile, so that masks read them where they compute a tile, ends included.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_DOCUMENTTILES_H
#define SPARSEATTN_LIB_TRANSFORMS_DOCUMENTTILES_H

#include "DocumentTable.h"
#include "QueryTiles.h"
#include "VisitLoop.h"

namespace mlir::sparse_attn::transforms {

/// What documents leave of the key tiles of a query tile, index values: no tile
/// outside of [begin, end) has a live pair, and in those of [fullBegin,
/// fullEnd) all keys and all rows are of one document. Null where a plan does
/// not depend on documents.
struct DocumentSpan {
  Value begin, end, fullBegin, fullEnd;
  /// tensor<B x rows of all tiles x i32> and tensor<B x keys of all tiles x
  /// i32>: an id, or of a row without document -2, and of such a key -1.
  Value rowIds, keyIds;
  explicit operator bool() const { return bool(begin); }

  /// What it leaves of a run of tiles; of a full one, up to three runs.
  SmallVector<TileRun> clip(OpBuilder &b, Location loc,
                            const TileRun &run) const;
};

/// The ids of key tiles, for the query tiles of each class.
class DocumentTiles {
public:
  /// Emits the loops that read all ids, if the op has documents.
  DocumentTiles(OpBuilder &b, MaskedReductionOpInterface op,
                const ReductionShapes &shapes, const plan::Plan &plan);

  /// Emits the loops that find the spans of all query tiles; null where the op
  /// has no documents.
  DocumentTable findSpans(OpBuilder &b, const QueryTiles &tiles,
                          bool hasPackedHeads) const;
  /// The span of the tile with ids (batch, slice of a query head, query tile).
  DocumentSpan spanAt(OpBuilder &b, const DocumentTable &spans, ValueRange ids,
                      const ReductionShapes &here) const;

private:
  void fill(OpBuilder &b, const ReductionShapes &shapes);

  Location loc;
  Value documents;
  /// The numbers of a key tile are the least and the greatest id, and the one
  /// that all its keys have.
  DocumentTable table;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_DOCUMENTTILES_H
