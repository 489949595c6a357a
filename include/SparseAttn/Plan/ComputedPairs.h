//===- ComputedPairs.h - The pairs that code computes -----------*- C++ -*-===//
//
// Code computes its tiles whole: rows and keys past an end, slots of layouts
// that no token stands at, and the rows of packed heads that a group lacks are
// computed as others are, and left out of the results. Warps of a GPU leave out
// the tiles that none of their rows reaches.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PLAN_COMPUTEDPAIRS_H
#define SPARSEATTN_PLAN_COMPUTEDPAIRS_H

#include "SparseAttn/Plan/Plan.h"

namespace mlir::sparse_attn::plan {

/// The query heads of a batch, and the heads that they share keys of.
struct Heads {
  int64_t queries = 1, keys = 1;
};

/// What a count of pairs is of.
enum class Slots {
  There, ///< rows and keys that are there
  All,   ///< and those with which code fills its tiles up
};

/// The pairs that all query heads of a batch compute, where warps take
/// `rowsOfWarp(rows)` of the `rows` slots of a query tile each and leave out
/// the tiles in which none of them may have a live pair, as kernels of rings
/// do. 0 rows stand for code that takes its tiles whole. A key that tiles of
/// two layouts hold counts twice, as it is computed twice.
uint64_t countComputedPairs(const mask::Mask &mask, const Plan &plan,
                            const mask::Lengths &n, const Heads &heads,
                            llvm::function_ref<int64_t(int64_t)> rowsOfWarp,
                            Slots slots);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_COMPUTEDPAIRS_H
