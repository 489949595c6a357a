//===- RowReachTest.cpp - Pairs that warps compute, by brute force --------===//
//
// A warp leaves a partial tile out only if none of its rows has a live pair in
// it, and of windows whenever none has.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Plan/RowReach.h"
#include "FuzzOptions.h"
#include "PlanOracle.h"
#include "RandomPlans.h"
#include "SparseAttn/Mask/Predicate.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan_test;
using namespace mlir::sparse_attn::test;

namespace {

struct Counts {
  uint64_t least = 0;   ///< of warps that have a live pair in the tile
  uint64_t visited = 0; ///< of all
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

/// The pairs of contiguous tiles, warp by warp.
Counts countByWarps(const Mask &mask, const Plan &plan, const Lengths &n,
                    int64_t rowsOfWarp) {
  Counts counts;
  for (const RowClass &cls : plan.classes)
    for (int64_t q = 0; q < cls.numQueryTiles(plan.tile, n); ++q) {
      Range slots = cls.rowSlots(q, plan.tile, n);
      for (VisitedTile tile : visitedTiles(cls, plan.tile, n, 0, q)) {
        int64_t first = tile.keyTile * plan.tile.keys;
        Range keys = {first, std::min(first + plan.tile.keys, n.nk)};
        for (int64_t row = slots.begin; row < slots.end; row += rowsOfWarp) {
          Range rows = Range{row, row + rowsOfWarp}.intersect(slots);
          uint64_t pairs = rows.size() * keys.size();
          counts.visited += pairs;
          counts.least +=
              tile.full || hasLivePair(mask, plan, cls, n, rows, keys) ? pairs
                                                                       : 0;
        }
      }
    }
  return counts;
}

uint64_t countComputed(const Mask &mask, const Plan &plan, const Lengths &n,
                       int64_t rowsOfWarp) {
  Predicate predicate = makePredicate(mask);
  bool isUnion = predicate.kind == Predicate::Kind::Union;
  return countComputedPairs(plan, isUnion ? predicate.pieces : Pieces(), n,
                            /*head=*/0,
                            [&](const RowClass &) { return rowsOfWarp; });
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
    ASSERT_EQ(counts.visited, countVisitedPairs(plan, n, 0));
    uint64_t computed = countComputed(mask, plan, n, /*rowsOfWarp=*/4);
    ASSERT_GE(computed, counts.least) << describe(mask, plan, n);
    ASSERT_LE(computed, counts.visited) << describe(mask, plan, n);
    ASSERT_EQ(countComputed(mask, plan, n, /*rowsOfWarp=*/0), counts.visited);
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

/// Rows of several heads stand at one position.
TEST(RowReachTest, PackedHeadsAreComputedWhole) {
  Mask mask = Mask::slidingWindow(8, 8);
  Lengths n = {64, 64};
  Plan plan = makePlan(mask, {32, 16}, {});
  EXPECT_LT(countComputed(mask, plan, n, 8), countVisitedPairs(plan, n, 0));
  plan.heads = 2;
  EXPECT_EQ(countComputed(mask, plan, n, 8), countVisitedPairs(plan, n, 0));
}

} // namespace
