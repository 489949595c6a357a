//===- RowGroups.h - The live keys of every row -----------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PLAN_ROWGROUPS_H
#define SPARSEATTN_LIB_PLAN_ROWGROUPS_H

#include "SparseAttn/Mask/Mask.h"
#include <vector>

namespace mlir::sparse_attn::plan {

/// Rows, not positions, next to each other that have the same live keys.
struct RowGroup {
  mask::Range rows;
  mask::IntervalSet keys;
};

/// All rows of a mask at known lengths, in order. Takes time for each row and
/// each piece that reaches it; rows that differ in nothing are one step.
/// nullopt where the mask has no short union of pieces, a part without closed
/// form or one that differs by head, or where rows have more intervals together
/// than tables are made of.
std::optional<std::vector<RowGroup>> findRowGroups(const mask::Mask &mask,
                                                   const mask::Lengths &n);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_LIB_PLAN_ROWGROUPS_H
