//===- TableBounds.h - Live pairs of a table's partial tiles ----*- C++ -*-===//

#ifndef SPARSEATTN_PLAN_TABLEBOUNDS_H
#define SPARSEATTN_PLAN_TABLEBOUNDS_H

#include "SparseAttn/Plan/Plan.h"

namespace mlir::sparse_attn::plan {

/// In the partial tiles of a table row r sees the keys of a few intervals,
///
///   low[k][x] <= j < high[k][x]   for some k,
///
/// with x = r - the first row, or the number of its query tile where all rows
/// of a query tile see the same. An interval that is not needed is empty.
struct TableBounds {
  bool isOfTiles = false;
  std::vector<std::vector<int64_t>> low, high;

  size_t numIntervals() const { return low.size(); }
};

/// Nothing where rows need more intervals than cost less to ask for than the
/// mask. Keys past Sk are in none.
std::optional<TableBounds> findTableBounds(const mask::Mask &mask,
                                           const TileTable &table,
                                           TileShape tile,
                                           const mask::Lengths &n);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_TABLEBOUNDS_H
