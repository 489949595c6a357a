//===- TableTiles.h - The tables of a plan as code --------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_TABLETILES_H
#define SPARSEATTN_LIB_TRANSFORMS_TABLETILES_H

#include "SparseAttn/IR/TilePair.h"
#include "SparseAttn/Plan/TableBounds.h"
#include "mlir/IR/Builders.h"

namespace mlir::sparse_attn::transforms {

/// Entry `place`, an index that is inside, of a constant tensor<... x i32> with
/// these values.
Value emitEntry(OpBuilder &b, Location loc, ArrayRef<int64_t> values,
                Value place);

/// The same as an index; the values are not negative.
Value emitIndexEntry(OpBuilder &b, Location loc, ArrayRef<int64_t> values,
                     Value place);

/// The live pairs of the partial tiles of one query tile as code.
class TableMask {
public:
  /// Emits, at `b`, what holds for the query tile number `q` of `tileRows`
  /// rows, the padding of which is asked for, too. `firstPosition` is an index:
  /// the position of row 0 of all. `bounds` is to outlive the mask.
  TableMask(OpBuilder &b, Location loc, const plan::TableBounds &bounds,
            const plan::TileTable &table, int64_t tileRows, Value q,
            Value firstPosition);

  /// The i1 for positions i and j, i32.
  Value operator()(OpBuilder &b, Location loc, Value i, Value j) const;

  /// What the partial tile at place `t` of the table is to the rows of the
  /// query tile, the first of which stands at `position`; both are indices.
  RowReach reachOf(OpBuilder &b, Location loc, Value t, Value position) const;

private:
  /// The ends of an interval of a query tile, i32: where it has nothing
  /// slanted, its first key and how many it has.
  struct TileEnds {
    Value low, high = {}, size = {};
    Value slantedLow = {}, slantedHigh = {}; ///< added to the position of a row
  };
  static std::pair<Value, Value> ofRow(OpBuilder &b, Location loc,
                                       const TileEnds &ends, Value i);
  /// The k-th interval of the row at position i: its first key, and how many
  /// it has, as i32.
  std::pair<Value, Value> interval(OpBuilder &b, Location loc, size_t k,
                                   Value i) const;

  const plan::TableBounds &bounds;
  int64_t tileRows;
  Value firstPosition; ///< of the table's first row, i32
  /// Where bounds are of query tiles.
  SmallVector<TileEnds> ofTile;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_TABLETILES_H
