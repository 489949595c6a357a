//===- PlanFuzzTest.cpp - Plans and proofs of random masks ----------------===//

#include "FuzzCases.h"
#include "PlanOracle.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;

namespace {

using Rng = std::mt19937_64;

int64_t pick(Rng &rng, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(rng);
}

Lengths randomLengths(Rng &rng, int64_t longest) {
  int64_t nk = pick(rng, 1, longest);
  int64_t nq = pick(rng, 0, 2) ? nk : pick(rng, 1, longest);
  return {nq, nk};
}

/// Tile sizes from degenerate to larger than the sequence.
TileShape randomTile(Rng &rng) { return {pick(rng, 1, 12), pick(rng, 1, 12)}; }

LengthFacts randomFacts(Rng &rng, const Lengths &n) {
  LengthFacts facts;
  if (pick(rng, 0, 1))
    facts.nq = n.nq;
  if (pick(rng, 0, 1))
    facts.nk = n.nk;
  return facts;
}

std::string describe(const Mask &mask, const Plan &plan, const Lengths &n) {
  return textOf(mask) + "\n" + textOf(plan) + "nq=" + std::to_string(n.nq) +
         " nk=" + std::to_string(n.nk);
}

TEST(PlanFuzzTest, EveryLivePairIsVisitedOnceAndFullTilesAreFull) {
  Rng rng(21);
  for (int k = 0, e = fuzzCases(3000); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 3, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 40);
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n));
    ASSERT_EQ(findViolation(mask, plan, n, 2), "") << describe(mask, plan, n);
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

/// Masks and tiles of which many have full draws: all sizes are powers of two.
TEST(PlanFuzzTest, FullDrawsAreFullAndProvenSo) {
  Rng rng(28);
  int full = 0, broken = 0;
  for (int k = 0, e = fuzzCases(1500); k < e; ++k) {
    auto power = [&] { return int64_t(1) << pick(rng, 0, 3); };
    llvm::SmallVector<Mask> members;
    for (int64_t count = pick(rng, 1, 2); count > 0; --count) {
      Mask::RandomOptions options;
      options.block = power();
      options.blocksPerRow = pick(rng, 1, 3);
      options.seed = pick(rng, 0, 9);
      if (pick(rng, 0, 2) == 0)
        options.bigBirdWindowRadius = pick(rng, 0, 1);
      members.push_back(Mask::random(options));
    }
    if (pick(rng, 0, 1))
      members.push_back(randomPlanMask(rng, 1, /*allowOpaque=*/false));
    Mask mask = Mask::unionOf(members);
    Lengths n = {power() * pick(rng, 1, 8), power() * pick(rng, 1, 8)};
    LengthFacts known;
    known.nq = n.nq;
    known.nk = n.nk;
    Plan plan = makePlan(mask, {power(), power()}, known);
    for (const RowClass &cls : plan.classes)
      full += llvm::any_of(cls.draws, [](const Draw &d) { return d.full; });
    ASSERT_EQ(findViolation(mask, plan, n, 2), "") << describe(mask, plan, n);
    Proof proof = provePlan(mask, plan, known, 2);
    ASSERT_EQ(proof.verdict, Verdict::Proven) << proof.reason << "\n"
                                              << describe(mask, plan, n);
    for (RowClass &cls : plan.classes)
      for (Draw &draw : cls.draws)
        draw.full = true;
    bool isBroken = !findViolation(mask, plan, n, 2).empty();
    broken += isBroken;
    proof = provePlan(mask, plan, known, 2);
    ASSERT_EQ(proof.verdict, isBroken ? Verdict::Refuted : Verdict::Proven)
        << proof.reason << "\n"
        << describe(mask, plan, n);
    if (isBroken)
      ASSERT_TRUE(isTrueWitness(mask, plan, proof))
          << proof.reason << " i=" << proof.witness->i
          << " j=" << proof.witness->j << "\n"
          << describe(mask, plan, n);
  }
  EXPECT_GT(full, 100);
  EXPECT_GT(broken, 100);
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

TEST(PlanFuzzTest, PlansAreProven) {
  Rng rng(24);
  for (int k = 0, e = fuzzCases(1000); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 40);
    LengthFacts known;
    known.nq = n.nq;
    known.nk = n.nk;
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n));
    Proof proof = provePlan(mask, plan, known, 2);
    ASSERT_EQ(proof.verdict, Verdict::Proven) << proof.reason << "\n"
                                              << describe(mask, plan, n);
  }
}

TEST(PlanFuzzTest, PlansAreNeverRefutedAtUnknownLengths) {
  Rng rng(25);
  int proven = 0, total = fuzzCases(150);
  for (int k = 0; k < total; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/true);
    Plan plan = makePlan(mask, randomTile(rng), LengthFacts());
    Proof proof = provePlan(mask, plan, LengthFacts(), 2);
    ASSERT_NE(proof.verdict, Verdict::Refuted)
        << proof.reason << " at i=" << proof.witness->i
        << " j=" << proof.witness->j << "\n"
        << describe(mask, plan, proof.witness->n);
    proven += proof.verdict == Verdict::Proven;
  }
  EXPECT_GE(proven * 10, total * 8) << proven << " of " << total;
}

/// A small change of the plan.
void mutate(Rng &rng, Plan &plan) {
  RowClass &cls = plan.classes[pick(rng, 0, plan.classes.size() - 1)];
  if (!cls.draws.empty() && pick(rng, 0, 2) == 0) {
    Draw &draw = cls.draws[pick(rng, 0, cls.draws.size() - 1)];
    draw.full = !draw.full;
    return;
  }
  if (cls.segments.empty() || pick(rng, 0, 9) == 0) {
    (pick(rng, 0, 1) ? cls.rowBegin : cls.rowEnd) =
        pick(rng, 0, 1) ? cls.rowEnd - 1 : cls.rowBegin + 1;
    return;
  }
  unsigned index = pick(rng, 0, cls.segments.size() - 1);
  Segment &segment = cls.segments[index];
  switch (pick(rng, 0, 6)) {
  case 0:
    segment.begin = segment.begin + 1;
    return;
  case 1:
    segment.begin = segment.begin - 1;
    return;
  case 2:
    segment.end = segment.end + 1;
    return;
  case 3:
    segment.end = segment.end - 1;
    return;
  case 4:
    segment.full = !segment.full;
    return;
  case 5:
    cls.segments.erase(cls.segments.begin() + index);
    return;
  default: {
    Segment copy = segment;
    cls.segments.push_back(copy);
    return;
  }
  }
}

TEST(PlanFuzzTest, BrokenPlansAreRefutedWithATrueWitness) {
  Rng rng(26);
  int broken = 0;
  for (int k = 0, e = fuzzCases(1500); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 40);
    LengthFacts known;
    known.nq = n.nq;
    known.nk = n.nk;
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n));
    mutate(rng, plan);
    bool isBroken = !findViolation(mask, plan, n, 2).empty();
    broken += isBroken;
    Proof proof = provePlan(mask, plan, known, 2);
    ASSERT_EQ(proof.verdict, isBroken ? Verdict::Refuted : Verdict::Proven)
        << proof.reason << "\n"
        << describe(mask, plan, n);
    if (isBroken)
      ASSERT_TRUE(isTrueWitness(mask, plan, proof))
          << proof.reason << " i=" << proof.witness->i
          << " j=" << proof.witness->j << "\n"
          << describe(mask, plan, n);
  }
  EXPECT_GT(broken, 100);
}

TEST(PlanFuzzTest, BrokenPlansAreRefutedAtUnknownLengths) {
  Rng rng(27);
  int broken = 0;
  for (int k = 0, e = fuzzCases(150); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/false);
    Plan plan = makePlan(mask, randomTile(rng), LengthFacts());
    mutate(rng, plan);
    bool isBroken = false;
    for (int attempt = 0; attempt < 5 && !isBroken; ++attempt)
      isBroken = !findViolation(mask, plan, randomLengths(rng, 40), 1).empty();
    broken += isBroken;
    Proof proof = provePlan(mask, plan, LengthFacts(), 1);
    if (isBroken)
      ASSERT_NE(proof.verdict, Verdict::Proven) << describe(mask, plan, {});
    if (proof.verdict == Verdict::Refuted)
      ASSERT_TRUE(isTrueWitness(mask, plan, proof))
          << proof.reason << " i=" << proof.witness->i
          << " j=" << proof.witness->j << "\n"
          << describe(mask, plan, proof.witness->n);
  }
  EXPECT_GT(broken, 20);
}

} // namespace
