//===- QueryTiles.h - The query tiles of a row class ------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_QUERYTILES_H
#define SPARSEATTN_LIB_TRANSFORMS_QUERYTILES_H

#include "EmitTileExpr.h"
#include "RowLocators.h"
#include "SparseAttn/Plan/ColumnGroups.h"

namespace mlir::sparse_attn::transforms {

/// The rows of a class of a plan, or of several that visit the same key tiles
/// for each of their query tiles, cut into query tiles. Slices of the results'
/// columns count as heads: slice s of `n` of head h is number h n + s. So do
/// the tiles of a key head that packed heads make.
///
/// Rows that are no neighbours, as those of a layout, are read from where they
/// stand, and their results are brought there (ScatteredRows.h).
class QueryTiles {
public:
  /// Emits the bounds of the rows at `b`. A class with a table is alone, and
  /// outlives this. Where classes overlap, a row belongs
  /// to the first; they are in the order of their first rows. With a step of 2
  /// or more there is one class, of all rows of each residue, and the tiles of
  /// one residue come after those of another.
  QueryTiles(OpBuilder &b, MaskedReductionOpInterface op,
             const ReductionShapes &shapes, ArrayRef<plan::RowClass> classes,
             const plan::Plan &plan, plan::ColumnGroup columns,
             int64_t step = 1);

  /// Tiles of the plan's size of the rows behind the end of each sequence.
  static QueryTiles ofMissingRows(OpBuilder &b, MaskedReductionOpInterface op,
                                  const ReductionShapes &shapes,
                                  const plan::Plan &plan,
                                  plan::ColumnGroup columns);

  /// The plan's tile, or less where the classes have few rows; rows of all
  /// heads of a tile.
  plan::TileShape getTile() const { return {tile.queries * packed, tile.keys}; }
  /// True when there is certainly no tile. A grid cannot be known to be empty.
  bool isEmpty() const;
  /// The columns of a slice.
  int64_t getNumColumns() const { return columns.size; }
  /// How often (batch, slice of a query head, query tile) loops run.
  SmallVector<Value> getBounds(OpBuilder &b) const;
  /// The sizes of what the tile with these ids is part of: of all, or of its
  /// residue.
  ReductionShapes shapesAt(OpBuilder &b, ValueRange ids) const;
  /// Where the tile with ids (batch, slice of a query head, query tile) is.
  QueryTile locate(OpBuilder &b, ValueRange ids,
                   const ReductionShapes &shapesAt) const;
  /// How many rows tensors must have that are written whole tiles at a time.
  Value numWholeRows(OpBuilder &b) const;
  /// Where the results of a tile, parts of `outputs` [B, Hq, Sq, ...], are
  /// made: in slices at its rows, and of its columns where they are
  /// [B, Hq, Sq, columns], or where its rows are no neighbours, in tensors of
  /// their own. Others have no rows but in the slice of the first columns, as
  /// each row is written once.
  SmallVector<Value> places(OpBuilder &b, const QueryTile &at,
                            ValueRange outputs) const;
  /// Gives `results`, which were made there, to the outputs, as the last thing
  /// inside a forall.
  void insert(OpBuilder &b, const QueryTile &at, ValueRange results,
              ValueRange places, ValueRange outputs) const;

private:
  /// The first column of slice `number`; null where it has all columns.
  Value columnOf(OpBuilder &b, Value number) const;
  /// Sets the heads of `at`, those of tile `number` of packed heads.
  void locatePackedHeads(OpBuilder &b, Value number, QueryTile &at) const;

  Location loc;
  const ReductionShapes &shapes;
  plan::TileShape tile;
  plan::ColumnGroup columns;
  bool areColumnsWhole;
  int64_t packed; ///< heads of a tile
  Value heads;    ///< number of slices of query heads, or of tiles of them
  int64_t step = 1;
  std::unique_ptr<RowLocator> rows;
  Value tiles; ///< number of query tiles, of a residue where there is a step
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_QUERYTILES_H
