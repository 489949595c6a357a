//===- Grids.h - Query tiles of grids, as code has them ---------*- C++ -*-===//

#ifndef SPARSEATTN_PLAN_GRIDS_H
#define SPARSEATTN_PLAN_GRIDS_H

#include "SparseAttn/Plan/Plan.h"

namespace mlir::sparse_attn::plan {

/// How many of the classes of a plan, from the first on, code visits in one
/// grid, whose tiles have the rows of the largest: each query tile of them
/// visits the same tiles, and their rows are in order.
size_t countTogether(llvm::ArrayRef<RowClass> classes,
                     const LengthFacts &facts);

/// A query tile of code. Its slots are rows from `first` on, where they stand
/// one after the other.
struct QueryTile {
  int64_t number;
  std::optional<int64_t> first;
  int64_t slots;     ///< that it has
  mask::Range there; ///< those of them that are rows, counted from the first
};

/// Query tile q of a class of `plan`, which begins at slot `begin`; code takes
/// `rows` slots of the class in a tile, for each head of it.
QueryTile locateQueryTile(const Plan &plan, const RowClass &cls,
                          const mask::Lengths &n, int64_t rows, int64_t q,
                          int64_t begin);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_GRIDS_H
