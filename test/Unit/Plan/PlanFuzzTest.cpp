//===- PlanFuzzTest.cpp - Plans of random masks ---------------------------===//
//
// bench/plan_fuzz.py runs the first of these for many more masks, by
// SPARSE_ATTN_FUZZ_CASES and SPARSE_ATTN_FUZZ_SEED, and records what it ran.
//
//===----------------------------------------------------------------------===//

#include "FuzzOptions.h"
#include "RandomPlans.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::plan_test;
using namespace mlir::sparse_attn::test;

namespace {

TEST(PlanFuzzTest, EveryLivePairIsVisitedOnceAndFullTilesAreFull) {
  Rng rng(fuzzOption("SPARSE_ATTN_FUZZ_SEED", 21));
  for (int k = 0, e = fuzzCases(3000); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 3, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 40);
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n));
    ASSERT_EQ(findViolation(mask, plan, n, 2), "") << describe(mask, plan, n);
  }
}

// Also at other lengths of which the assumption holds.
TEST(PlanFuzzTest, PlansAreRightWhereTheirAssumptionHolds) {
  Rng rng(29);
  for (int k = 0, e = fuzzCases(1500); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/true);
    if (pick(rng, 0, 2) == 0) {
      int64_t block = int64_t(1) << pick(rng, 0, 3);
      mask = Mask::unionOf({bigBird(block, 3, pick(rng, 1, 3), /*seed=*/k,
                                    /*last=*/0),
                            Mask::lastBlock(block)});
    }
    Lengths n = randomLengths(rng, 40);
    LengthAssumption assumption = randomAssumption(rng, n);
    TileShape tile = {int64_t(1) << pick(rng, 0, 3), int64_t(1)
                                                         << pick(rng, 0, 3)};
    Plan plan = makePlan(mask, tile, LengthFacts().assuming(assumption));
    for (int l = 0; l < 3; ++l) {
      ASSERT_EQ(findViolation(mask, plan, n, 2), "") << describe(mask, plan, n);
      n = randomLengths(rng, 60, assumption);
    }
  }
}

TEST(PlanFuzzTest, CountsAgreeWithTheVisitedTiles) {
  Rng rng(22);
  for (int k = 0, e = fuzzCases(500); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 60);
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n));
    TileCounts expected;
    int64_t keyTiles = (n.nk + plan.tile.keys - 1) / plan.tile.keys;
    for (const RowClass &cls : plan.classes) {
      for (int64_t q = 0; q < cls.numQueryTiles(plan.tile, n); ++q) {
        expected.empty += keyTiles;
        for (VisitedTile tile : visitedTiles(cls, plan.tile, n, 1, q)) {
          (tile.full ? expected.full : expected.partial) += 1;
          --expected.empty;
        }
      }
    }
    TileCounts counts = countTiles(plan, n, 1);
    ASSERT_EQ(counts.full, expected.full) << describe(mask, plan, n);
    ASSERT_EQ(counts.partial, expected.partial) << describe(mask, plan, n);
    ASSERT_EQ(counts.empty, expected.empty) << describe(mask, plan, n);
  }
}

TEST(PlanFuzzTest, PureBandsVisitNoUselessTile) {
  Rng rng(23);
  for (int k = 0, e = fuzzCases(1000); k < e; ++k) {
    int64_t left = pick(rng, 0, 20);
    Mask mask = pick(rng, 0, 1)
                    ? Mask::slidingWindow(left, pick(rng, -left, 20))
                    : Mask::chunked(pick(rng, 1, 12));
    Lengths n = randomLengths(rng, 60);
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n));
    ASSERT_EQ(countUselessTiles(mask, plan, n, 1), 0)
        << describe(mask, plan, n);
  }
}

TEST(PlanFuzzTest, LayoutsComputeEveryLivePairOnce) {
  Rng rng(31);
  int withLayouts = 0;
  for (int k = 0, e = fuzzCases(3000); k < e; ++k) {
    Mask mask = pick(rng, 0, 3) ? randomColumnsMask(rng)
                                : randomPlanMask(rng, 2, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 60);
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n),
                         /*losses=*/nullptr, KeyLayouts::Any);
    withLayouts += llvm::any_of(
        plan.classes, [](const RowClass &cls) { return cls.hasLayouts(); });
    ASSERT_EQ(findViolation(mask, plan, n, 2), "") << describe(mask, plan, n);
  }
  EXPECT_GT(withLayouts, fuzzCases(3000) / 10);
}

TEST(PlanFuzzTest, VisitedPairsAreCountedAsVisited) {
  Rng rng(32);
  for (int k = 0, e = fuzzCases(500); k < e; ++k) {
    Mask mask = pick(rng, 0, 1) ? randomColumnsMask(rng)
                                : randomPlanMask(rng, 2, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 60);
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n),
                         /*losses=*/nullptr, KeyLayouts::Any);
    if (pick(rng, 0, 1))
      addScatteredRows(rng, mask, plan, n);
    uint64_t expected = 0;
    for (const RowClass &cls : plan.classes) {
      for (int64_t row = 0; row < n.nq; ++row)
        for (VisitedTile tile :
             hasRow(cls, row, n)
                 ? visitedTiles(cls, plan.tile, n, 1,
                                queryTileOf(cls, plan.tile, row, n))
                 : llvm::SmallVector<VisitedTile>()) {
          Layout layout = tile.segment ? tile.segment->layout : Layout();
          int64_t size = layout.tileSize(plan.tile.keys);
          for (int64_t m = 0; m < size; ++m) {
            int64_t slot = tile.keyTile * size + m;
            expected += slot < layout.numSlots().value_or(slot + 1) &&
                        layout.position(slot) < n.nk;
          }
        }
    }
    ASSERT_EQ(countVisitedPairs(plan, n, 1), expected)
        << describe(mask, plan, n);
  }
}

TEST(PlanFuzzTest, RowsOfALayoutAreFoundAndBelongToTheLastClass) {
  Rng rng(33);
  for (int k = 0, e = fuzzCases(1000); k < e; ++k) {
    Lengths n = randomLengths(rng, 60);
    Mask mask = randomPlanMask(rng, 1, /*allowOpaque=*/false);
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n));
    addScatteredRows(rng, mask, plan, n);
    const RowClass &cls = plan.classes.back();
    for (int64_t row = 0; row < n.nq; ++row) {
      std::optional<int64_t> slot = cls.slotOf(row, n);
      ASSERT_EQ(slot.has_value(), hasRow(cls, row, n))
          << row << "\n"
          << describe(mask, plan, n);
      if (!slot)
        continue;
      int64_t q = queryTileOf(cls, plan.tile, row, n);
      ASSERT_EQ(cls.rowOf(*slot, n), row) << describe(mask, plan, n);
      ASSERT_TRUE(cls.rowSlots(q, plan.tile, n).contains(*slot))
          << describe(mask, plan, n);
    }
    ASSERT_EQ(findViolation(mask, plan, n, 1), "") << describe(mask, plan, n);
  }
}

TEST(PlanFuzzTest, RowLayoutsComputeEveryLivePairOnce) {
  Rng rng(34);
  int lists = 0, lattices = 0, cases = fuzzCases(3000);
  for (int k = 0; k < cases; ++k) {
    Mask mask = randomRowsMask(rng);
    Lengths n = randomLengths(rng, 60);
    Plan plan =
        makePlan(mask, randomTile(rng), randomFacts(rng, n),
                 /*losses=*/nullptr,
                 pick(rng, 0, 1) ? KeyLayouts::Any : KeyLayouts::Contiguous,
                 RowLayouts::Any);
    for (const RowClass &cls : plan.classes) {
      lists += cls.layout.isList();
      lattices += cls.layout.kind == Layout::Kind::Lattice;
    }
    ASSERT_EQ(findViolation(mask, plan, n, 1), "") << describe(mask, plan, n);
  }
  EXPECT_GT(lists, cases / 10);
  EXPECT_GT(lattices, cases / 50);
}

} // namespace
