//===- ColumnGroups.cpp - Columns of values, cut into slices --------------===//

#include "SparseAttn/Plan/ColumnGroups.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

/// Columns that a product has no fewer of.
static constexpr int64_t kGranule = 8;

llvm::SmallVector<ColumnGroup, 2> plan::cutColumns(int64_t columns,
                                                   int64_t most) {
  if (most == 0 || columns <= most)
    return {{0, columns, 1}};
  int64_t slices = llvm::divideCeil(columns, most);
  int64_t granules = columns / kGranule;
  int64_t narrow = granules / slices * kGranule, numWide = granules % slices;
  llvm::SmallVector<ColumnGroup, 2> groups;
  if (numWide > 0)
    groups.push_back({0, narrow + kGranule, numWide});
  groups.push_back({numWide * (narrow + kGranule), narrow, slices - numWide});
  return groups;
}
