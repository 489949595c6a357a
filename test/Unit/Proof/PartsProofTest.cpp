//===- PartsProofTest.cpp - Proofs of plans of parts ----------------------===//

#include "../Plan/PartsOracle.h"
#include "FuzzOptions.h"
#include "MutatePlan.h"
#include "SparseAttn/Proof/Certificate.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;
using namespace mlir::sparse_attn::plan_test;
using namespace mlir::sparse_attn::test;

namespace {

std::string describe(const Mask &mask, const Plan &plan, const Proof &proof) {
  std::string text = proof.reason + "\n" + textOf(mask) + "\n" + textOf(plan);
  if (const std::optional<Witness> &w = proof.witness)
    text += "nq=" + std::to_string(w->n.nq) + " nk=" + std::to_string(w->n.nk) +
            " i=" + std::to_string(w->i) + " j=" + std::to_string(w->j);
  return text;
}

TEST(PartsProofTest, PartsAreProven) {
  Rng rng(51);
  for (int k = 0, e = fuzzCases(600); k < e; ++k) {
    Mask mask = randomStridedMask(rng);
    Lengths n = randomLengths(rng, 40);
    Plan plan =
        planParts(mask, rng, randomFacts(rng, n),
                  pick(rng, 0, 1) ? KeyLayouts::Any : KeyLayouts::Contiguous);
    Proof proof = provePlan(mask, plan, known(n.nq, n.nk), 1);
    ASSERT_EQ(proof.verdict, Verdict::Proven)
        << describe(mask, plan, proof) << " for nq=" << n.nq << " nk=" << n.nk;
  }
}

TEST(PartsProofTest, PartsAreNeverRefutedAtUnknownLengths) {
  Rng rng(52);
  int proven = 0, parts = 0;
  for (int k = 0, e = fuzzCases(40); k < e; ++k) {
    Mask mask = randomStridedMask(rng);
    Lengths n = randomLengths(rng, 40);
    LengthFacts facts = randomFacts(rng, n);
    if (facts.nq && facts.nk)
      facts.nq = std::nullopt;
    Plan plan = planParts(mask, rng, facts);
    if (plan.parts.empty())
      continue;
    ++parts;
    Proof proof = provePlan(mask, plan, facts, 1);
    ASSERT_NE(proof.verdict, Verdict::Refuted) << describe(mask, plan, proof);
    proven += proof.verdict == Verdict::Proven;
  }
  EXPECT_GE(proven * 10, parts * 8) << proven << " of " << parts;
}

/// A small change of a part, or of which there are.
void mutateParts(Rng &rng, Plan &plan) {
  unsigned index = pick(rng, 0, plan.parts.size() - 1);
  Part &part = plan.parts[index];
  int64_t what = pick(rng, 0, 5);
  if (what == 0 && plan.parts.size() > 1) {
    plan.parts.erase(plan.parts.begin() + index);
  } else if (what == 1) {
    plan.parts.insert(plan.parts.begin(), plan.parts.front());
  } else if (what == 2) {
    part.step += pick(rng, 0, 1) && part.step > 1 ? -1 : 1;
  } else if (what == 3) {
    mutatePairs(rng, part.pairs);
  } else {
    Plan one = {part.tile, part.classes};
    mutate(rng, one);
    part.classes = one.classes;
  }
}

TEST(PartsProofTest, BrokenPartsAreRefuted) {
  Rng rng(53);
  int broken = 0, cases = fuzzCases(600);
  for (int k = 0; k < cases; ++k) {
    Mask mask = randomStridedMask(rng);
    Lengths n = randomLengths(rng, 40);
    Plan plan = planParts(mask, rng, randomFacts(rng, n));
    if (plan.parts.empty())
      continue;
    mutateParts(rng, plan);
    if (!findProblem(plan.parts).empty())
      continue;
    Proof proof = provePlan(mask, plan, known(n.nq, n.nk), 1);
    if (findViolationOfParts(mask, plan, n).empty()) {
      ASSERT_NE(proof.verdict, Verdict::Refuted) << describe(mask, plan, proof);
      continue;
    }
    ++broken;
    ASSERT_EQ(proof.verdict, Verdict::Refuted) << describe(mask, plan, proof);
    ASSERT_TRUE(proof.witness.has_value());
  }
  EXPECT_GT(broken, cases / 10);
}

TEST(PartsProofTest, BrokenPartsAreNotProvenAtUnknownLengths) {
  Rng rng(54);
  int broken = 0, cases = fuzzCases(100);
  for (int k = 0; k < cases; ++k) {
    Mask mask = randomStridedMask(rng);
    Plan plan = planParts(mask, rng, {});
    if (plan.parts.empty())
      continue;
    mutateParts(rng, plan);
    if (!findProblem(plan.parts).empty())
      continue;
    bool isBroken = false;
    for (int attempt = 0; attempt < 5 && !isBroken; ++attempt)
      isBroken =
          !findViolationOfParts(mask, plan, randomLengths(rng, 40)).empty();
    Proof proof = provePlan(mask, plan, {}, 1);
    if (isBroken)
      ASSERT_NE(proof.verdict, Verdict::Proven) << describe(mask, plan, proof);
    broken += isBroken;
    if (proof.verdict == Verdict::Refuted && proof.witness->n.nq < 200 &&
        proof.witness->n.nk < 200)
      ASSERT_NE(findViolationOfParts(mask, plan, proof.witness->n), "")
          << describe(mask, plan, proof);
  }
  EXPECT_GT(broken, cases / 10);
}

/// A plan of one segment for each part.
Part wholePart(int64_t step, Pieces pairs) {
  RowClass all;
  all.rowEnd = TileExpr::numQueries();
  all.segments.push_back(
      {TileExpr::constant(0), TileExpr::numKeys().ceilDiv(16)});
  return {step, std::move(pairs), {16, 16}, {all}};
}

Pieces causalPairs() {
  Piece piece;
  piece.upper = {Bound::diagonal(1)};
  return {piece};
}

TEST(PartsProofTest, OverlapAndGapHaveAWitness) {
  Mask mask = Mask::intersectionOf({Mask::causal(), Mask::strided(2)});
  Plan plan;
  plan.parts = {wholePart(2, causalPairs())};
  EXPECT_EQ(provePlan(mask, plan, {}, 1).verdict, Verdict::Proven);
  plan.parts.push_back(wholePart(4, causalPairs()));
  Proof twice = provePlan(mask, plan, {}, 1);
  EXPECT_EQ(twice.verdict, Verdict::Refuted);
  EXPECT_EQ(twice.reason, "a pair belongs to two parts");
  plan.parts = {wholePart(4, causalPairs())};
  Proof missed = provePlan(mask, plan, {}, 1);
  EXPECT_EQ(missed.verdict, Verdict::Refuted);
  EXPECT_EQ(missed.reason, "a live pair belongs to no part");
  ASSERT_TRUE(missed.witness);
  EXPECT_EQ((missed.witness->i - missed.witness->j) % 4, 2);
  plan.parts = {wholePart(2, {Piece()})};
  Proof masked = provePlan(mask, plan, {}, 1);
  EXPECT_EQ(masked.reason, "a part has a pair that the mask does not allow");
  // A part says which pairs it has, and its tiles must hold them.
  plan.parts = {wholePart(2, causalPairs())};
  plan.parts[0].classes[0].segments[0].end = TileExpr::constant(0);
  Proof uncovered = provePlan(mask, plan, {}, 1);
  EXPECT_EQ(uncovered.verdict, Verdict::Refuted);
  EXPECT_EQ(uncovered.reason, "a live pair lies in no visited tile");
  // Rows without pairs of a part have a state all the same.
  plan.parts = {wholePart(2, causalPairs()), wholePart(1, {})};
  plan.parts[1].classes[0].segments.clear();
  EXPECT_EQ(provePlan(mask, plan, {}, 1).verdict, Verdict::Proven);
  plan.parts[1].classes[0].rowEnd = TileExpr::numQueries() - 1;
  Proof rows = provePlan(mask, plan, {}, 1);
  EXPECT_EQ(rows.verdict, Verdict::Unsupported);
  EXPECT_EQ(rows.reason, "the first class of a part leaves out some rows");
}

} // namespace
