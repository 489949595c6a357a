//===- TileMask.h - The mask of an op in its partial tiles ------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_TILEMASK_H
#define SPARSEATTN_LIB_TRANSFORMS_TILEMASK_H

#include "DataTiles.h"
#include "RandomTables.h"

namespace mlir::sparse_attn::transforms {

/// The op's mask as code, for the rows of one query tile: an `EmitMaskFn`.
struct TileMask {
  MaskedReductionOpInterface op;
  const RandomTables &tables;
  Value numKeys, absoluteBatch, absoluteHead; ///< i32
  Value commonPosition;   ///< i32, of all rows; null where each has its own
  Value batchIndex, head; ///< index
  bool mayBeRagged;
  const mask::Pieces *where;     ///< the live pairs, if not those of the mask
  const ReductionShapes &shapes; ///< of the sequence
  const DataSpan &data;
  /// The position behind the tile's last key, i32; null where that is as far as
  /// the tile reaches, or where the sequence ends.
  Value end = {};
  /// Whether rows and keys are those of tiles that tables of data have; what is
  /// to be added to a position (i32) to have its row there then, null for
  /// packed heads.
  bool areOfGrid = false;
  Value toRow = {};

  Value operator()(OpBuilder &b, Location loc, Value i, Value j) const;

private:
  /// Whether the mask has the pair, if both exist.
  Value emitPairs(OpBuilder &b, Location loc, Value i, Value j) const;
  /// What a table of rows, or of keys, has for the query or the key.
  Value entryOf(OpBuilder &b, Location loc, Value table, bool ofKey, Value i,
                Value j) const;
  Value isListed(OpBuilder &b, Location loc, bool ofKey, Value i,
                 Value j) const;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_TILEMASK_H
