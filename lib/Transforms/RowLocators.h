//===- RowLocators.h - Where the rows of query tiles are --------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_ROWLOCATORS_H
#define SPARSEATTN_LIB_TRANSFORMS_ROWLOCATORS_H

#include "ReductionShapes.h"
#include <memory>

namespace mlir::sparse_attn::transforms {

/// Where the rows of the query tiles of a class are. Each way in which a plan
/// says that is a class of its own.
class RowLocator {
public:
  virtual ~RowLocator() = default;

  /// How many query tiles there are, of a residue where the part is folded.
  Value getNumTiles() const { return tiles; }
  /// Says where the rows of tile number `at.tile` are, among those of which
  /// `here` has the sizes.
  virtual void locate(OpBuilder &b, const ReductionShapes &here,
                      QueryTile &at) const = 0;

protected:
  RowLocator(Location loc, int64_t size) : loc(loc), size(size) {}

  Location loc;
  int64_t size; ///< rows of a tile
  Value tiles;
};

/// That of `classes`, which visit the same key tiles, in the order of their
/// first rows; where they overlap, a row belongs to the first. Rows of a table
/// or of a layout are one class, which outlives this. With a step of 2 or more
/// there is one class, of all rows of each residue. Emits the bounds of the
/// rows at `b`.
std::unique_ptr<RowLocator> makeRowLocator(OpBuilder &b, Location loc,
                                           const ReductionShapes &shapes,
                                           ArrayRef<plan::RowClass> classes,
                                           int64_t size, int64_t step);

/// That of a class whose rows stand in a layout, which outlives this.
std::unique_ptr<RowLocator> makeSlotRows(OpBuilder &b, Location loc,
                                         const ReductionShapes &shapes,
                                         const plan::RowClass &cls);

/// That of the rows behind the end of each sequence, in tiles of `size`.
std::unique_ptr<RowLocator> makeMissingRows(OpBuilder &b, Location loc,
                                            const ReductionShapes &shapes,
                                            int64_t size);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_ROWLOCATORS_H
