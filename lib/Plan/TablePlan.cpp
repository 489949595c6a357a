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

/// Closed forms stay where they visit no more than so many times the pairs of
/// live tiles.
static constexpr double maxWaste = 1.25;

/// What query tiles take that are computed whole, in pairs of full tiles. What
/// a block does beside its key tiles was replayed to take about as long as two
/// of them, whatever the tile (A100, heads of 64).
static double workOf(const TileTable &table, TileShape tile) {
  constexpr double beside = 2;
  double keyTiles = 0;
  for (int64_t q = 0; q < table.numQueryTiles(); ++q)
    keyTiles += beside + kPartialCost * double(table.partialOf(q).size()) +
                double(table.fullOf(q).size());
  return keyTiles * double(tile.queries) * double(tile.keys);
}

namespace {
struct TiledTable {
  TileTable table;
  TileShape tile;
};
} // namespace

static std::optional<TiledTable>
chooseTable(llvm::ArrayRef<RowGroup> groups, TileShape tile, const Lengths &n,
            llvm::ArrayRef<target::TableTile> others) {
  std::optional<TileTable> table = makeTileTable(groups, tile, n);
  if (!table)
    return std::nullopt;
  TiledTable best = {std::move(*table), tile};
  double work = workOf(best.table, tile);
  for (const target::TableTile &other : others) {
    TileShape smaller = {other.size.queries, other.size.keys};
    std::optional<TileTable> some = makeTileTable(groups, smaller, n);
    double takes = some ? other.pairCost * workOf(*some, smaller) : work;
    if (takes * kLeastGain >= work)
      continue;
    best = {std::move(*some), smaller};
    work = takes;
  }
  return best;
}

std::optional<Plan>
plan::makeTablePlan(const Mask &mask, const Plan &closed,
                    const LengthFacts &facts,
                    llvm::SmallVectorImpl<PlanLoss> &losses,
                    llvm::ArrayRef<target::TableTile> others) {
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
  std::optional<TiledTable> chosen =
      chooseTable(*groups, closed.tile, n, others);
  if (!chosen) {
    for (PlanLoss &loss : losses)
      loss.isTableTooLong = true;
    return std::nullopt;
  }
  RowClass cls;
  cls.rowEnd = TileExpr::constant(n.nq);
  cls.table = std::move(chosen->table);
  Plan plan;
  plan.tile = chosen->tile;
  plan.classes.push_back(std::move(cls));
  plan.assumed = closed.assumed;
  if (static_cast<double>(countVisitedPairs(plan, n, /*head=*/0)) * kLeastGain >
      visited)
    return std::nullopt;
  losses.clear();
  return plan;
}
