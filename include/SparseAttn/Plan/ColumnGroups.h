//===- ColumnGroups.h - Columns of values, cut into slices ------*- C++ -*-===//

#ifndef SPARSEATTN_PLAN_COLUMNGROUPS_H
#define SPARSEATTN_PLAN_COLUMNGROUPS_H

#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace mlir::sparse_attn::plan {

/// Slices of one size, side by side: [first, first + size), and so on.
struct ColumnGroup {
  int64_t first, size, count;

  /// Whether it is one slice of all columns.
  bool isWhole(int64_t columns) const { return count == 1 && size == columns; }
};

/// Cuts `columns` columns of V and of the result into as few slices as have no
/// more than `most` each; 0 is no limit. What each slice needs of scores is
/// computed anew for it. Sizes are multiples of 8 where `columns` is one, and
/// differ by 8 at most: there is one group, or two, the first of wider slices.
llvm::SmallVector<ColumnGroup, 2> cutColumns(int64_t columns, int64_t most);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_COLUMNGROUPS_H
