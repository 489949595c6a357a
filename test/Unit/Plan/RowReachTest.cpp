//===- RowReachTest.cpp - Pairs that warps compute, by brute force --------===//
//
// A warp leaves a partial tile out only if none of its rows has a live pair in
// it, and of windows whenever none has.
//
//===----------------------------------------------------------------------===//

#include "FuzzOptions.h"
#include "PlanOracle.h"
#include "RandomPlans.h"
#include "SparseAttn/Plan/ComputedPairs.h"
#include "SparseAttn/Plan/Grids.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan_test;
using namespace mlir::sparse_attn::test;

namespace {

struct Counts {
  uint64_t least = 0;   ///< of warps that have a live pair in the tile
  uint64_t visited = 0; ///< of all
  uint64_t slots = 0;   ///< with those that fill up tiles
};

/// Among the rows that the class has of its own.
bool hasLivePair(const Mask &mask, const Plan &plan, const RowClass &cls,
                 const Lengths &n, Range rows, Range keys) {
  for (int64_t i = rows.begin; i < rows.end; ++i)
    for (int64_t j = keys.begin; j < keys.end; ++j)
      if (ownerOf(plan, i, n) == &cls &&
          mask.contains(n, /*head=*/0, i + n.firstQuery(), j))
        return true;
  return false;
}

/// Adds the pairs of one query tile, warp by warp.
void addByWarps(Counts &counts, const Mask &mask, const Plan &plan,
                const RowClass &cls, const Lengths &n, int64_t q, Range slots,
                int64_t size, int64_t rowsOfWarp) {
  for (VisitedTile tile : visitedTiles(cls, plan.tile, n, 0, q)) {
    int64_t first = tile.keyTile * plan.tile.keys;
    Range keys = {first, std::min(first + plan.tile.keys, n.nk)};
    counts.slots += size * plan.tile.keys;
    for (int64_t row = slots.begin; row < slots.end; row += rowsOfWarp) {
      Range rows = Range{row, row + rowsOfWarp}.intersect(slots);
      uint64_t pairs = rows.size() * keys.size();
      counts.visited += pairs;
      counts.least +=
          tile.full || hasLivePair(mask, plan, cls, n, rows, keys) ? pairs : 0;
    }
  }
}

/// The pairs of contiguous tiles. Classes that one grid visits have no row
/// twice.
Counts countByWarps(const Mask &mask, const Plan &plan, const Lengths &n,
                    int64_t rowsOfWarp) {
  Counts counts;
  LengthFacts facts = LengthFacts().assuming(plan.assumed);
  for (llvm::ArrayRef<RowClass> rest = plan.classes; !rest.empty();) {
    llvm::ArrayRef<RowClass> together =
        rest.take_front(countTogether(rest, facts));
    rest = rest.drop_front(together.size());
    int64_t size = 0, before = 0;
    for (const RowClass &cls : together)
      size = std::max(size, cls.codeRows(plan.tile));
    for (const RowClass &cls : together) {
      int64_t begin = std::max(cls.rowBegin.evaluate(0, n), before);
      int64_t end = std::min(cls.rowEnd.evaluate(0, n), n.nq);
      for (int64_t q = 0; begin + q * size < end; ++q)
        addByWarps(counts, mask, plan, cls, n, q,
                   {begin + q * size, std::min(begin + (q + 1) * size, end)},
                   size, rowsOfWarp);
      before = std::max(begin, end);
    }
  }
  return counts;
}

uint64_t countComputed(const Mask &mask, const Plan &plan, const Lengths &n,
                       int64_t rowsOfWarp, Slots slots = Slots::There,
                       Heads heads = {}) {
  return countComputedPairs(
      mask, plan, n, heads, [&](int64_t) { return rowsOfWarp; }, slots);
}

TEST(RowReachTest, NoWarpLeavesALivePairOut) {
  Rng rng(40);
  int fewer = 0;
  for (int k = 0, e = fuzzCases(500); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/k % 2);
    Lengths n = randomLengths(rng, 80);
    TileShape tile = {16, 8};
    Plan plan = makePlan(mask, tile, randomFacts(rng, n));
    Counts counts = countByWarps(mask, plan, n, /*rowsOfWarp=*/4);
    ASSERT_LE(counts.visited, countVisitedPairs(plan, n, 0));
    uint64_t computed = countComputed(mask, plan, n, /*rowsOfWarp=*/4);
    ASSERT_GE(computed, counts.least) << describe(mask, plan, n);
    ASSERT_LE(computed, counts.visited) << describe(mask, plan, n);
    ASSERT_EQ(countComputed(mask, plan, n, /*rowsOfWarp=*/0), counts.visited);
    ASSERT_EQ(countComputed(mask, plan, n, /*rowsOfWarp=*/0, Slots::All),
              counts.slots)
        << describe(mask, plan, n);
    ASSERT_GE(countComputed(mask, plan, n, /*rowsOfWarp=*/4, Slots::All),
              computed);
    fewer += computed < counts.visited;
  }
  EXPECT_GT(fewer, fuzzCases(500) / 20);
}

TEST(RowReachTest, OfWindowsWarpsComputeWhatTheyHaveToAndNoMore) {
  for (auto [left, right] : {std::pair(20, 5), {31, 0}, {16, 16}, {3, 2}})
    for (Lengths n : {Lengths{100, 100}, {64, 64}, {40, 90}}) {
      Mask mask = Mask::slidingWindow(left, right);
      Plan plan = makePlan(mask, {32, 16}, {});
      EXPECT_EQ(countComputed(mask, plan, n, /*rowsOfWarp=*/8),
                countByWarps(mask, plan, n, /*rowsOfWarp=*/8).least)
          << left << ", " << right << " of " << n.nq << " x " << n.nk;
    }
}

/// Rows of several heads stand at one position, and a tile has slots for more
/// heads than a group has.
TEST(RowReachTest, PackedHeadsAreComputedWhole) {
  Mask mask = Mask::slidingWindow(8, 8);
  Lengths n = {64, 64};
  Plan plan = makePlan(mask, {32, 16}, {});
  EXPECT_LT(countComputed(mask, plan, n, 8), countVisitedPairs(plan, n, 0));
  plan.heads = 2;
  EXPECT_EQ(countComputed(mask, plan, n, 8), countVisitedPairs(plan, n, 0));
  uint64_t pairs = countVisitedPairs(plan, n, 0);
  EXPECT_EQ(countComputed(mask, plan, n, 8, Slots::There, {6, 2}), 6 * pairs);
  EXPECT_EQ(countComputed(mask, plan, n, 8, Slots::All, {6, 2}),
            2 * 2 * 2 * pairs);
}

/// Warps of a table's query tiles leave out what no row of theirs sees, and
/// slots that are no rows.
TEST(RowReachTest, WarpsOfTablesComputeTheirRows) {
  Mask mask = Mask::causal();
  Lengths n = {40, 40};
  Plan plan;
  plan.tile = {32, 16};
  RowClass cls{TileExpr::constant(0), TileExpr::constant(40)};
  cls.table.append(0, 32, {0, 16}, {});
  cls.table.append(0, 40, {32}, {0, 16});
  plan.classes.push_back(cls);
  EXPECT_EQ(countComputed(mask, plan, n, /*rowsOfWarp=*/0),
            uint64_t(32 * 32 + 8 * (8 + 32)));
  EXPECT_EQ(countComputed(mask, plan, n, /*rowsOfWarp=*/0, Slots::All),
            uint64_t(32 * 32 + 32 * 48));
  // The first of 16 rows have no pair with keys from 16 on; the last tile has
  // one warp with rows.
  EXPECT_EQ(countComputed(mask, plan, n, /*rowsOfWarp=*/16),
            uint64_t(32 * 16 + 16 * 16 + 8 * (8 + 32)));
  EXPECT_EQ(countComputed(mask, plan, n, /*rowsOfWarp=*/16, Slots::All),
            uint64_t(32 * 16 + 16 * 16 + 16 * 48));
}

} // namespace
