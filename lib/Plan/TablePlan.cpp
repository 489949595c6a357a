//===- TablePlan.cpp - Plans in tiles of a table --------------------------===//
//
// The planner says where closed forms have given up. Elsewhere a table is not
// even thought of, so that no rows are looked at.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Plan/TablePlan.h"
#include "MakeTileTable.h"
#include "Planner.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

/// As many times the pairs of live tiles may closed forms visit.
static constexpr double maxWaste = 1.25;

std::optional<Plan>
plan::makeTablePlan(const Mask &mask, const Plan &closed,
                    const LengthFacts &facts,
                    llvm::SmallVectorImpl<PlanLoss> &losses) {
  // What is merged has no tables.
  if (losses.empty() || !closed.parts.empty() || !facts.nq || !facts.nk)
    return std::nullopt;
  Lengths n = {*facts.nq, *facts.nk};
  std::optional<std::vector<RowGroup>> groups = findRowGroups(mask, n);
  if (!groups)
    return std::nullopt;
  auto visited = static_cast<double>(countVisitedPairs(closed, n, /*head=*/0));
  auto live = static_cast<double>(countLiveTilePairs(*groups, closed.tile, n));
  if (visited <= maxWaste * live)
    return std::nullopt;
  std::optional<TileTable> table = makeTileTable(*groups, closed.tile, n);
  if (!table) {
    for (PlanLoss &loss : losses)
      loss.isTableTooLong = true;
    return std::nullopt;
  }
  RowClass cls;
  cls.rowEnd = TileExpr::constant(n.nq);
  cls.table = std::move(*table);
  Plan plan;
  plan.tile = closed.tile;
  plan.classes.push_back(std::move(cls));
  plan.assumed = closed.assumed;
  if (static_cast<double>(countVisitedPairs(plan, n, /*head=*/0)) * kLeastGain >
      visited)
    return std::nullopt;
  losses.clear();
  return plan;
}
