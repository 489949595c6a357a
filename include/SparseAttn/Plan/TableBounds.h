//===- TableBounds.h - Live pairs of a table's partial tiles ----*- C++ -*-===//

#ifndef SPARSEATTN_PLAN_TABLEBOUNDS_H
#define SPARSEATTN_PLAN_TABLEBOUNDS_H

#include "SparseAttn/Plan/Plan.h"

namespace mlir::sparse_attn::plan {

/// In the partial tiles of a table row r, counted from the first row of the
/// table, sees the keys of a few intervals,
///
///   low_k <= j < high_k   for some k.
///
/// Where all query tiles allow it, the ends are told by numbers of query tiles,
/// else by numbers of rows. An interval that is not needed is empty.
struct TableBounds {
  /// The ends of one interval on one side.
  struct Ends {
    /// Each query tile, or each row, has one.
    std::vector<int64_t> fixed;
    /// Each query tile has one, or none has: where rows of a tile see keys
    /// that move with the row, r + slanted[q] is another end, and the one that
    /// leaves more keys out counts.
    std::vector<int64_t> slanted = {};
  };
  struct Interval {
    Ends low, high;
  };

  /// Rows of a query tile, counted from its first one.
  struct Reach {
    mask::Range live; ///< none outside has a live pair in the key tile
    mask::Range full; ///< all pairs of these are live
  };

  bool isOfTiles = false;
  std::vector<Interval> intervals = {};
  /// Each key tile has one, in the order of `starts`; those of full tiles mean
  /// nothing.
  std::vector<Reach> reach = {};

  /// Interval k of row r, which is of query tile q.
  mask::Range at(size_t k, int64_t q, int64_t r) const;
};

/// Nothing where rows need more intervals than cost less to ask for than the
/// mask. Keys past Sk are in none.
std::optional<TableBounds> findTableBounds(const mask::Mask &mask,
                                           const TileTable &table,
                                           TileShape tile,
                                           const mask::Lengths &n);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_TABLEBOUNDS_H
