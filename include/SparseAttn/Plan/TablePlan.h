//===- TablePlan.h - Plans in tiles of a table ------------------*- C++ -*-===//

#ifndef SPARSEATTN_PLAN_TABLEPLAN_H
#define SPARSEATTN_PLAN_TABLEPLAN_H

#include "SparseAttn/Plan/Plan.h"
#include "SparseAttn/Target/Target.h"

namespace mlir::sparse_attn::plan {

/// A plan with a table in the place of `closed`, the planner's own, which has
/// `losses`: where both lengths are known and `closed` visits more than 1.25
/// times the tiles that have a live pair, and a table at least a tenth less.
/// The table has the tile of `closed`, or one of `others` with which whole
/// query tiles take a tenth less. Then nothing is lost. Nothing where `closed`
/// is to stay; the losses say so where that is because a table would be too
/// long.
std::optional<Plan>
makeTablePlan(const mask::Mask &mask, const Plan &closed,
              const LengthFacts &facts, llvm::SmallVectorImpl<PlanLoss> &losses,
              llvm::ArrayRef<target::TableTile> others = {});

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_TABLEPLAN_H
