//===- SpecialPlansTest.cpp - Plans for some of the lengths ---------------===//

#include "SparseAttn/Plan/SpecialPlans.h"
#include "FuzzOptions.h"
#include "RandomPlans.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::plan_test;
using namespace mlir::sparse_attn::test;

namespace {

/// The mask of #sparse_attn.bigbird at unknown lengths.
Mask dynamicBigBird(int64_t block) {
  return Mask::unionOf(
      {bigBird(block, 3, 3, /*seed=*/0, /*last=*/0), Mask::lastBlock(block)});
}

TileShape chooseBlocks(const LengthFacts &facts) {
  // As a target does that has larger tiles for what is not of whole blocks.
  return facts.assumed.keysMultiple % 64 == 0 ? TileShape{64, 64}
                                              : TileShape{128, 64};
}

TEST(SpecialPlansTest, MasksOfBlocksGetOne) {
  Mask mask = dynamicBigBird(64);
  LengthFacts facts;
  Plan general = makePlan(mask, chooseBlocks(facts), facts);
  auto plans = makeSpecialPlans(mask, general, facts, chooseBlocks);
  ASSERT_FALSE(plans.empty());
  const SpecialPlan &best = plans.front();
  EXPECT_EQ(best.plan.assumed.keysMultiple, 64);
  // All of its tiles are full.
  EXPECT_EQ(best.work.tiles.partial, 0u);
  EXPECT_TRUE(best.plan.assumed.holds(best.at));
  EXPECT_GT(best.generalWork.pairs, 1.5 * best.work.pairs);
  for (const SpecialPlan &special : plans) {
    EXPECT_LE(special.work.pairs * 1.1, special.generalWork.pairs);
    for (Lengths n : {Lengths{64, 64}, {128, 192}, {640, 640}, {192, 64}})
      if (special.plan.assumed.holds(n))
        EXPECT_EQ(findViolation(mask, special.plan, n, 1), "")
            << describe(mask, special.plan, n);
  }
}

TEST(SpecialPlansTest, OthersAreAsGoodForAllLengths) {
  auto choose = [](const LengthFacts &) { return TileShape{128, 64}; };
  LengthFacts facts;
  for (const Mask &mask :
       {Mask::full(), Mask::causal(), Mask::slidingWindow(256, 0),
        longformer(512, {0}), streaming(4, 1023)}) {
    Plan general = makePlan(mask, {128, 64}, facts);
    EXPECT_TRUE(makeSpecialPlans(mask, general, facts, choose).empty())
        << textOf(mask);
  }
}

TEST(SpecialPlansTest, KnownLengthsAreAskedForNothing) {
  Mask mask = dynamicBigBird(64);
  auto assumed = [&](std::optional<int64_t> nq, std::optional<int64_t> nk) {
    LengthFacts facts;
    facts.nq = nq;
    facts.nk = nk;
    std::vector<LengthAssumption> all;
    Plan general = makePlan(mask, {128, 64}, facts);
    for (const SpecialPlan &special :
         makeSpecialPlans(mask, general, facts, chooseBlocks))
      all.push_back(special.plan.assumed);
    return all;
  };
  EXPECT_TRUE(assumed(4096, 4096).empty());
  EXPECT_TRUE(assumed(4000, 4032).empty());
  for (const LengthAssumption &each : assumed({}, 4001))
    EXPECT_EQ(each.keysMultiple, 1);
}

TEST(SpecialPlansTest, AreRightForRandomMasks) {
  Rng rng(31);
  for (int k = 0, e = fuzzCases(60); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/true);
    LengthFacts facts;
    TileShape tile = {int64_t(1) << pick(rng, 1, 3), int64_t(1)
                                                         << pick(rng, 1, 3)};
    Plan general = makePlan(mask, tile, facts);
    for (const SpecialPlan &special : makeSpecialPlans(
             mask, general, facts, [&](const LengthFacts &) { return tile; })) {
      ASSERT_FALSE(special.plan.assumed.isTrivial());
      Lengths n = randomLengths(rng, 300, special.plan.assumed);
      ASSERT_EQ(findViolation(mask, special.plan, n, 2), "")
          << describe(mask, special.plan, n);
    }
  }
}

} // namespace
