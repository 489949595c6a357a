//===- ProofFuzzTest.cpp - Proofs of plans of random masks ----------------===//

#include "../Plan/RandomPlans.h"
#include "FuzzOptions.h"
#include "MutatePlan.h"
#include "WitnessOracle.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;
using namespace mlir::sparse_attn::plan_test;
using namespace mlir::sparse_attn::test;

namespace {

/// Masks and tiles of which many have full draws: all sizes are powers of two.
TEST(ProofFuzzTest, FullDrawsAreFullAndProvenSo) {
  Rng rng(28);
  int full = 0, broken = 0, cases = fuzzCases(1500);
  for (int k = 0; k < cases; ++k) {
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
  EXPECT_GT(full, cases / 15);
  EXPECT_GT(broken, cases / 15);
}

TEST(ProofFuzzTest, PlansAreProven) {
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

/// Counts a plan that is proven for all lengths; it must not be refuted.
static void countProven(const Mask &mask, const Plan &plan, int &proven) {
  Proof proof = provePlan(mask, plan, LengthFacts(), 2);
  ASSERT_NE(proof.verdict, Verdict::Refuted)
      << proof.reason << " at i=" << proof.witness->i
      << " j=" << proof.witness->j << "\n"
      << describe(mask, plan, proof.witness->n);
  proven += proof.verdict == Verdict::Proven;
}

TEST(ProofFuzzTest, PlansAreNeverRefutedAtUnknownLengths) {
  Rng rng(25);
  int proven = 0, total = fuzzCases(150);
  for (int k = 0; k < total; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/true);
    Plan plan = makePlan(mask, randomTile(rng), LengthFacts());
    ASSERT_NO_FATAL_FAILURE(countProven(mask, plan, proven));
  }
  EXPECT_GE(proven * 10, total * 8) << proven << " of " << total;
}

// The proof of a plan is for the lengths that it is for, and no others.
TEST(ProofFuzzTest, PlansAreProvenWhereTheirAssumptionHolds) {
  Rng rng(32);
  int proven = 0, total = fuzzCases(120);
  for (int k = 0; k < total; ++k) {
    Mask mask = pick(rng, 0, 1)
                    ? randomPlanMask(rng, 1, /*allowOpaque=*/true)
                    : bigBird(int64_t(1) << pick(rng, 0, 3), 3, 1, k, 0);
    Lengths n = {8 * pick(rng, 1, 4), 8 * pick(rng, 1, 4)};
    LengthAssumption assumption = randomAssumption(rng, n);
    TileShape tile = {int64_t(1) << pick(rng, 0, 3), int64_t(1)
                                                         << pick(rng, 0, 3)};
    Plan plan = makePlan(mask, tile, LengthFacts().assuming(assumption));
    ASSERT_NO_FATAL_FAILURE(countProven(mask, plan, proven));
    // For all lengths it may be wrong, and then is not called right.
    plan.assumed = {};
    Lengths other = randomLengths(rng, 40);
    if (findViolation(mask, plan, other, 2).empty())
      continue;
    Proof proof = provePlan(mask, plan, LengthFacts(), 2);
    ASSERT_NE(proof.verdict, Verdict::Proven) << describe(mask, plan, other);
    if (proof.verdict == Verdict::Refuted)
      ASSERT_TRUE(isTrueWitness(mask, plan, proof))
          << describe(mask, plan, proof.witness->n);
  }
  EXPECT_GE(proven * 10, total * 7) << proven << " of " << total;
}

TEST(ProofFuzzTest, BrokenPlansAreRefutedWithATrueWitness) {
  Rng rng(26);
  int broken = 0, cases = fuzzCases(1500);
  for (int k = 0; k < cases; ++k) {
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
  EXPECT_GT(broken, cases / 15);
}

TEST(ProofFuzzTest, BrokenPlansAreRefutedAtUnknownLengths) {
  Rng rng(27);
  int broken = 0, cases = fuzzCases(150);
  for (int k = 0; k < cases; ++k) {
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
  EXPECT_GT(broken, cases / 8);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// Breaks a query tile of a table, or tries to.
void mutateTable(RowClass &cls, Rng &rng) {
  TileTable broken;
  const TileTable &table = cls.table;
  int64_t last = table.numQueryTiles() - 1, chosen = pick(rng, 0, last);
  int64_t row = table.cuts.front();
  for (int64_t q = 0; q <= last; ++q) {
    std::vector<int64_t> partial = table.partialOf(q), full = table.fullOf(q);
    std::vector<int64_t> &list = full.empty() ? partial : full;
    int64_t end = table.rowsOf(q).end;
    if (q == chosen) {
      int64_t way = pick(rng, 0, 4);
      if (way == 0 && !list.empty())
        list.pop_back();
      else if (way == 1 && !list.empty())
        list.back() += pick(rng, 0, 3);
      else if (way == 2)
        std::swap(partial, full);
      else if (way == 3 && end - row > 1)
        --end;
      else if (!partial.empty())
        --partial.front();
    }
    broken.append(row, end, partial, full);
    row = end;
  }
  cls.table = broken;
  cls.rowEnd = TileExpr::constant(row);
}

TEST(ProofFuzzTest, PlansWithTablesAreProvenAndBrokenOnesRefuted) {
  Rng rng(43);
  int broken = 0, cases = fuzzCases(300);
  for (int k = 0; k < cases; ++k) {
    int64_t length = pick(rng, 20, 120);
    Mask mask = randomPatches(rng, pick(rng, 30, 80), length);
    Lengths n = {length, length};
    Plan plan = makeAnyPlan(mask, randomTile(rng), known(n.nq, n.nk));
    if (!plan.hasTables())
      continue;
    ASSERT_EQ(provePlan(mask, plan, known(n.nq, n.nk), 1).verdict,
              Verdict::Proven);
    EXPECT_EQ(provePlan(mask, plan, LengthFacts(), 1).verdict,
              Verdict::Unsupported);
    mutateTable(plan.classes[0], rng);
    Proof proof = provePlan(mask, plan, known(n.nq, n.nk), 1);
    // A table that is none is refused before anything is proven.
    if (!plan.classes[0].table.findProblem(plan.tile).empty()) {
      ASSERT_EQ(proof.verdict, Verdict::Unsupported);
      continue;
    }
    bool isBroken = !findViolation(mask, plan, n, 1).empty();
    broken += isBroken;
    ASSERT_EQ(proof.verdict, isBroken ? Verdict::Refuted : Verdict::Proven)
        << proof.reason << "\n"
        << describe(mask, plan, n);
    if (isBroken)
      ASSERT_TRUE(isTrueWitness(mask, plan, proof))
          << proof.reason << " i=" << proof.witness->i
          << " j=" << proof.witness->j << "\n"
          << describe(mask, plan, n);
  }
  EXPECT_GT(broken, cases / 30);
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

Plan layoutPlan(const Mask &mask, Rng &rng, const LengthFacts &facts) {
  return makePlan(mask, randomTile(rng), facts, /*losses=*/nullptr,
                  KeyLayouts::Any);
}

TEST(ProofFuzzTest, PlansWithLayoutsAreProven) {
  Rng rng(41);
  for (int k = 0, e = fuzzCases(500); k < e; ++k) {
    Mask mask = randomColumnsMask(rng);
    Lengths n = randomLengths(rng, 60);
    Plan plan = layoutPlan(mask, rng, randomFacts(rng, n));
    Proof proof = provePlan(mask, plan, known(n.nq, n.nk), 2);
    ASSERT_EQ(proof.verdict, Verdict::Proven) << proof.reason << "\n"
                                              << describe(mask, plan, n);
  }
}

TEST(ProofFuzzTest, PlansWithLayoutsAreProvenAtUnknownLengths) {
  Rng rng(42);
  int proven = 0, total = fuzzCases(12);
  for (int k = 0; k < total; ++k) {
    Mask mask = randomColumnsMask(rng);
    Plan plan = layoutPlan(mask, rng, LengthFacts());
    ASSERT_NO_FATAL_FAILURE(countProven(mask, plan, proven));
  }
  EXPECT_GE(proven * 2, total) << proven << " of " << total;
}

/// Breaks a segment of a class with layouts, or tries to.
void mutateLayouts(RowClass &cls, Rng &rng) {
  size_t index = pick(rng, 0, int64_t(cls.segments.size()) - 1);
  Segment &segment = cls.segments[index];
  Layout &layout = segment.layout;
  switch (pick(rng, 0, 6)) {
  case 0:
    segment.begin = segment.begin + pick(rng, -1, 1);
    return;
  case 1:
    segment.end = segment.end + pick(rng, -1, 1);
    return;
  case 2:
    segment.full = !segment.full;
    segment.where.reset();
    return;
  case 3:
    if (segment.where && segment.where->size() > 1)
      segment.where->pop_back();
    else
      segment.where.reset();
    return;
  case 4:
    if (layout.isList())
      layout.starts.back() += pick(rng, 0, 2);
    else
      layout.shift = std::max<int64_t>(0, layout.shift + pick(rng, -1, 1));
    return;
  case 5:
    if (layout.width > 1 && !layout.isList())
      --layout.width;
    else if (layout.starts.size() > 1)
      layout.starts.pop_back();
    return;
  default:
    Segment copy = segment;
    cls.segments.push_back(copy);
  }
}

TEST(ProofFuzzTest, BrokenLayoutsAreRefutedByTrueWitnesses) {
  Rng rng(43);
  int broken = 0;
  for (int k = 0, e = fuzzCases(500); k < e; ++k) {
    Mask mask = randomColumnsMask(rng);
    Lengths n = randomLengths(rng, 40);
    Plan plan = layoutPlan(mask, rng, randomFacts(rng, n));
    for (RowClass &cls : plan.classes)
      if (cls.hasLayouts())
        mutateLayouts(cls, rng);
    bool isBroken = !findViolation(mask, plan, n, 1).empty();
    broken += isBroken;
    Proof proof = provePlan(mask, plan, known(n.nq, n.nk), 1);
    ASSERT_EQ(proof.verdict, isBroken ? Verdict::Refuted : Verdict::Proven)
        << proof.reason << "\n"
        << findViolation(mask, plan, n, 1) << "\n"
        << describe(mask, plan, n);
    if (isBroken && !llvm::StringRef(proof.reason).contains("Sk"))
      ASSERT_TRUE(isTrueWitness(mask, plan, proof))
          << proof.reason << " i=" << proof.witness->i
          << " j=" << proof.witness->j << "\n"
          << describe(mask, plan, n);
  }
  EXPECT_GT(broken, fuzzCases(500) / 10);
}

// At all lengths a broken plan is never called right, and what refutes it is
// wrong with it.
TEST(ProofFuzzTest, BrokenLayoutsAreNotProvenAtUnknownLengths) {
  Rng rng(44);
  for (int k = 0, e = fuzzCases(12); k < e; ++k) {
    Mask mask = randomColumnsMask(rng);
    Plan plan = layoutPlan(mask, rng, LengthFacts());
    for (RowClass &cls : plan.classes)
      if (cls.hasLayouts())
        mutateLayouts(cls, rng);
    Proof proof = provePlan(mask, plan, LengthFacts(), 1);
    if (proof.verdict == Verdict::Refuted && proof.witness->n.nk <= 4096 &&
        proof.witness->n.nq <= 4096)
      ASSERT_NE(findViolation(mask, plan, proof.witness->n, 1), "")
          << proof.reason << " i=" << proof.witness->i
          << " j=" << proof.witness->j << "\n"
          << describe(mask, plan, proof.witness->n);
    if (proof.verdict != Verdict::Proven)
      continue;
    Lengths n = randomLengths(rng, 60);
    ASSERT_EQ(findViolation(mask, plan, n, 1), "") << describe(mask, plan, n);
  }
}

//===----------------------------------------------------------------------===//
// Rows that stand in a layout
//===----------------------------------------------------------------------===//

TEST(ProofFuzzTest, ScatteredRowsAreProven) {
  Rng rng(45);
  for (int k = 0, e = fuzzCases(500); k < e; ++k) {
    Mask mask = pick(rng, 0, 1) ? randomColumnsMask(rng)
                                : randomPlanMask(rng, 2, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 60);
    Plan plan = layoutPlan(mask, rng, randomFacts(rng, n));
    addScatteredRows(rng, mask, plan, n);
    Proof proof = provePlan(mask, plan, known(n.nq, n.nk), 2);
    ASSERT_EQ(proof.verdict, Verdict::Proven) << proof.reason << "\n"
                                              << describe(mask, plan, n);
  }
}

TEST(ProofFuzzTest, PlansWithRowLayoutsAreProven) {
  Rng rng(48);
  for (int k = 0, e = fuzzCases(500); k < e; ++k) {
    Mask mask = randomRowsMask(rng);
    Lengths n = randomLengths(rng, 60);
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n),
                         /*losses=*/nullptr, KeyLayouts::Any, RowLayouts::Any);
    Proof proof = provePlan(mask, plan, known(n.nq, n.nk), 1);
    ASSERT_EQ(proof.verdict, Verdict::Proven) << proof.reason << "\n"
                                              << describe(mask, plan, n);
  }
}

TEST(ProofFuzzTest, PlansWithRowLayoutsAtUnknownLengths) {
  Rng rng(49);
  int proven = 0, total = fuzzCases(12);
  for (int k = 0; k < total; ++k) {
    Mask mask = randomRowsMask(rng);
    Plan plan = makePlan(mask, randomTile(rng), LengthFacts(),
                         /*losses=*/nullptr, KeyLayouts::Any, RowLayouts::Any);
    ASSERT_NO_FATAL_FAILURE(countProven(mask, plan, proven));
  }
  EXPECT_GE(proven * 3, total) << proven << " of " << total;
}

/// Breaks where the rows of the last class stand, or tries to.
void mutateRows(Plan &plan, Rng &rng) {
  RowClass &cls = plan.classes.back();
  Layout &layout = cls.layout;
  switch (pick(rng, 0, 5)) {
  case 0:
    cls.rowBegin = cls.rowBegin + pick(rng, -1, 1);
    return;
  case 1:
    cls.rowEnd = cls.rowEnd + pick(rng, -1, 1);
    return;
  case 2:
    if (layout.isList())
      layout.starts.back() += pick(rng, 0, 2);
    else
      layout.shift = std::max<int64_t>(0, layout.shift + pick(rng, -1, 1));
    return;
  case 3:
    if (layout.isList() && layout.starts.size() > 1)
      layout.starts.erase(layout.starts.begin());
    else
      ++layout.step;
    return;
  case 4:
    cls.segments.pop_back();
    return;
  default:
    cls.segments.back().full = true;
  }
}

TEST(ProofFuzzTest, BrokenRowsAreRefutedByTrueWitnesses) {
  Rng rng(46);
  int broken = 0;
  for (int k = 0, e = fuzzCases(800); k < e; ++k) {
    Mask mask = randomPlanMask(rng, 2, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 40);
    Plan plan = makePlan(mask, randomTile(rng), randomFacts(rng, n));
    addScatteredRows(rng, mask, plan, n);
    mutateRows(plan, rng);
    bool isBroken = !findViolation(mask, plan, n, 2).empty();
    broken += isBroken;
    Proof proof = provePlan(mask, plan, known(n.nq, n.nk), 2);
    ASSERT_EQ(proof.verdict, isBroken ? Verdict::Refuted : Verdict::Proven)
        << proof.reason << "\n"
        << findViolation(mask, plan, n, 2) << "\n"
        << describe(mask, plan, n);
    if (isBroken && !llvm::StringRef(proof.reason).contains("slots") &&
        !llvm::StringRef(proof.reason).contains("Sk"))
      ASSERT_TRUE(isTrueWitness(mask, plan, proof))
          << proof.reason << " i=" << proof.witness->i
          << " j=" << proof.witness->j << "\n"
          << describe(mask, plan, n);
  }
  EXPECT_GT(broken, fuzzCases(800) / 10);
}

// At all lengths they are proven, too, and never called right where broken.
TEST(ProofFuzzTest, ScatteredRowsAtUnknownLengths) {
  Rng rng(47);
  int proven = 0, total = fuzzCases(40);
  for (int k = 0; k < total; ++k) {
    Mask mask = randomPlanMask(rng, 1, /*allowOpaque=*/false);
    Plan plan = makePlan(mask, randomTile(rng), LengthFacts());
    addScatteredRows(rng, mask, plan, {40, 40});
    // A lattice that ends somewhere leaves rows to the classes before.
    plan.classes.back().rowEnd =
        plan.classes.back().layout.isList()
            ? plan.classes.back().rowEnd
            : TileExpr::numKeys().ceilDiv(plan.classes.back().layout.step) *
                  plan.classes.back().layout.width;
    bool isMutated = pick(rng, 0, 1);
    if (isMutated)
      mutateRows(plan, rng);
    else
      ASSERT_NO_FATAL_FAILURE(countProven(mask, plan, proven));
    Proof proof = provePlan(mask, plan, LengthFacts(), 1);
    if (proof.verdict == Verdict::Refuted && proof.witness->n.nk <= 4096 &&
        proof.witness->n.nq <= 4096)
      ASSERT_NE(findViolation(mask, plan, proof.witness->n, 1), "")
          << proof.reason << " i=" << proof.witness->i
          << " j=" << proof.witness->j << "\n"
          << describe(mask, plan, proof.witness->n);
    for (int l = 0; l < 5 && proof.verdict == Verdict::Proven; ++l) {
      Lengths n = randomLengths(rng, 60);
      ASSERT_EQ(findViolation(mask, plan, n, 1), "") << describe(mask, plan, n);
    }
  }
  EXPECT_GE(proven * 3, total) << proven << " of " << total;
}

} // namespace
