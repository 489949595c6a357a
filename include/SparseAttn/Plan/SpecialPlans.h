//===- SpecialPlans.h - Plans for some of the lengths -----------*- C++ -*-===//
//
// A plan for all lengths cannot say that the tiles of a mask of blocks are
// full: they are only where query tiles start at blocks and the last block is
// whole. Where that costs much, plans that take it for granted pay.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PLAN_SPECIALPLANS_H
#define SPARSEATTN_PLAN_SPECIALPLANS_H

#include "SparseAttn/Plan/Plan.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::sparse_attn::plan {

/// What a plan has to do at given lengths.
struct PlanWork {
  TileCounts tiles;
  /// Pairs of visited tiles; one of a partial tile counts for more than one.
  double pairs = 0;
};

/// A plan under an assumption, and why it pays.
struct SpecialPlan {
  Plan plan;
  /// What it has to do at `at`, for which it holds, and what the plan for all
  /// lengths has to do there.
  mask::Lengths at;
  PlanWork work, generalWork;
};

/// Plans that have to do at least a tenth less than `general`, which is for all
/// lengths: one under the weakest assumption that saves nearly all that any
/// saves, and, behind it, maybe one under a weaker one. None where both lengths
/// are known, or where `general` has parts. `chooseTile` gives the tile for a
/// plan with these facts.
llvm::SmallVector<SpecialPlan, 2>
makeSpecialPlans(const mask::Mask &mask, const Plan &general,
                 const LengthFacts &facts,
                 llvm::function_ref<TileShape(const LengthFacts &)> chooseTile);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_SPECIALPLANS_H
