//===- PartsTest.cpp - Plans of parts -------------------------------------===//

#include "FuzzOptions.h"
#include "Mask/PieceOracle.h"
#include "PartsOracle.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::plan_test;
using namespace mlir::sparse_attn::test;

namespace {

// What a piece has of a residue, it has in the numbers of the residue.
TEST(FoldPieceTest, FoldedPiecesHaveTheSamePairs) {
  Rng rng(41);
  int folds = 0, cases = fuzzCases(2000);
  for (int k = 0; k < cases; ++k) {
    Mask mask = pick(rng, 0, 1) ? randomStridedMask(rng)
                                : randomPlanMask(rng, 2, /*allowOpaque=*/false);
    std::optional<Pieces> pieces = mask.pieces();
    if (!pieces)
      continue;
    int64_t step = pick(rng, 1, 8);
    Lengths n = randomLengths(rng, 40);
    for (const Piece &piece : *pieces) {
      std::optional<Pieces> folded = foldPiece(piece, step);
      if (!folded)
        continue;
      ++folds;
      for (int64_t row = 0; row < n.nq; ++row) {
        int64_t i = row + n.firstQuery(), residue = plainMod(i, step);
        Lengths some = foldLengths(n, step, row % step);
        for (int64_t j = residue; j < n.nk; j += step)
          ASSERT_EQ(holdsLiterally(piece, n, 0, i, j),
                    holdsLiterally(*folded, some, 0, (i - residue) / step,
                                   (j - residue) / step))
              << textOf(Mask::ofPieces({piece})) << " folded by " << step
              << " at i=" << i << " j=" << j << " nq=" << n.nq
              << " nk=" << n.nk;
      }
    }
  }
  EXPECT_GT(folds, cases);
}

TEST(FoldPieceTest, UnfoldedPiecesHaveThePairsOfOneResidue) {
  Rng rng(45);
  int pieces = 0, cases = fuzzCases(500);
  for (int k = 0; k < cases; ++k) {
    Mask mask = pick(rng, 0, 1) ? randomStridedMask(rng)
                                : randomPlanMask(rng, 2, /*allowOpaque=*/false);
    std::optional<Pieces> all = mask.pieces();
    if (!all)
      continue;
    int64_t step = pick(rng, 1, 8);
    Lengths n = randomLengths(rng, 40);
    for (const Piece &piece : *all) {
      if (!piece.sets.empty())
        continue;
      ++pieces;
      Pieces unfolded = {unfoldPiece(piece, step)};
      for (int64_t row = 0; row < n.nq; ++row) {
        int64_t i = row + n.firstQuery(), residue = plainMod(i, step);
        Lengths some = foldLengths(n, step, row % step);
        for (int64_t j = 0; j < n.nk; ++j)
          ASSERT_EQ(holdsLiterally(unfolded, n, 0, i, j),
                    plainMod(j - i, step) == 0 &&
                        holdsLiterally({piece}, some, 0, (i - residue) / step,
                                       (j - residue) / step))
              << textOf(Mask::ofPieces({piece})) << " unfolded by " << step
              << " at i=" << i << " j=" << j << " nq=" << n.nq
              << " nk=" << n.nk;
      }
    }
  }
  EXPECT_GT(pieces, cases / 4);
}

TEST(PartsTest, LengthsOfResiduesAreCounted) {
  Rng rng(42);
  for (int k = 0; k < 2000; ++k) {
    Lengths n = randomLengths(rng, 40);
    int64_t step = pick(rng, 1, 8), row = pick(rng, 0, step - 1);
    Lengths folded = foldLengths(n, step, row);
    int64_t residue = plainMod(row + n.firstQuery(), step), rows = 0, keys = 0;
    for (int64_t r = row; r < n.nq; r += step)
      ++rows;
    for (int64_t j = residue; j < n.nk; j += step)
      ++keys;
    EXPECT_EQ(folded.nq, rows);
    EXPECT_EQ(folded.nk, keys);
    LengthAssumption assumed = randomAssumption(rng, n);
    LengthFacts facts = foldFacts(randomFacts(rng, n).assuming(assumed), step);
    if (rows == 0 || keys == 0)
      continue;
    EXPECT_TRUE(facts.assumed.holds(folded)) << facts.assumed.str();
    EXPECT_EQ(facts.nq.value_or(rows), rows);
    EXPECT_EQ(facts.nk.value_or(keys), keys);
  }
}

TEST(PartsTest, EveryLivePairIsComputedOnce) {
  Rng rng(43);
  int parts = 0, chains = 0, cases = fuzzCases(1500);
  for (int k = 0; k < cases; ++k) {
    Mask mask = randomStridedMask(rng);
    Lengths n = randomLengths(rng, 40);
    Plan plan =
        planParts(mask, rng, randomFacts(rng, n),
                  pick(rng, 0, 1) ? KeyLayouts::Any : KeyLayouts::Contiguous);
    if (plan.parts.empty())
      continue;
    ++parts;
    chains += plan.parts.size() > 1;
    ASSERT_EQ(findViolationOfParts(mask, plan, n), "")
        << describe(mask, plan, n);
  }
  EXPECT_GT(parts, cases / 3);
  EXPECT_GT(chains, cases / 10);
}

TEST(PartsTest, PairsOfPartsAreCountedAsVisited) {
  Rng rng(44);
  for (int k = 0, e = fuzzCases(300); k < e; ++k) {
    Mask mask = randomStridedMask(rng);
    Lengths n = randomLengths(rng, 40);
    Plan plan = planParts(mask, rng, randomFacts(rng, n));
    uint64_t expected = 0;
    for (const Part &part : plan.parts)
      for (int64_t row = 0; row < std::min(part.step, n.nq); ++row)
        if (Lengths folded = foldLengths(n, part.step, row); folded.nk > 0)
          expected += countVisitedPairs(planOf(part, {}), folded, 0);
    if (!plan.parts.empty())
      EXPECT_EQ(countVisitedPairs(plan, n, 0), expected)
          << describe(mask, plan, n);
  }
}

std::string planText(const Mask &mask, const LengthFacts &facts,
                     int64_t mergedRowPairs) {
  auto chooseTile = [](const Mask &, const LengthFacts &) {
    return TileShape{64, 64};
  };
  return textOf(makePlanOfParts(
      mask, chooseTile, facts,
      {KeyLayouts::Contiguous, RowLayouts::Contiguous, mergedRowPairs}));
}

// A dilated window is a window in each residue, whatever the lengths.
TEST(PartsTest, DilatedWindowsAreOnePart) {
  Mask window = Mask::slidingWindow(64, 64);
  Mask dilated = Mask::slidingWindow(64, 64, /*dilation=*/4);
  std::string plain = textOf(makePlan(window, {64, 64}, {}));
  std::string rows = plain.substr(plain.find('\n'));
  EXPECT_EQ(planText(dilated, {}, 600),
            "1 part\npart folded by 4, j >= i - 64 and j < i + 65, tile 64 x "
            "64" +
                rows);
}

// What both have is the diagonal, which the window goes without: so each row of
// a residue sees a key of it.
TEST(PartsTest, StridedIsAWindowAndASquareForEachResidue) {
  Mask mask = Mask::intersectionOf(
      {Mask::causal(),
       Mask::unionOf({Mask::slidingWindow(127, 0), Mask::strided(128)})});
  std::string text = planText(mask, known(16384, 16384), 600);
  EXPECT_NE(text.find("part folded by 128, j < i + 1, tile 64 x 64"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("part j >= i - 127 and j < i, tile 64 x 64"),
            std::string::npos)
      << text;
}

// Two diagonals are in the window of twice as many keys, which would be in two
// pieces, or have a residue, without them.
TEST(PartsTest, WindowsThatWouldBeLessSimpleKeepTheirPairs) {
  auto partsOf = [](const Mask &window) {
    Mask mask = Mask::unionOf({window, Mask::strided(128)});
    return planText(mask, known(16384, 16384), 600);
  };
  std::string longer = partsOf(Mask::slidingWindow(255, 0));
  EXPECT_NE(longer.find("part j >= i - 255 and j < i + 1, tile"),
            std::string::npos)
      << longer;
  std::string twoSided = partsOf(Mask::slidingWindow(127, 127));
  EXPECT_NE(twoSided.find("part j >= i - 127 and j < i + 128, tile"),
            std::string::npos)
      << twoSided;
  // A window from the diagonal on has one end there.
  std::string ahead = partsOf(Mask::slidingWindow(0, 127));
  EXPECT_NE(ahead.find("part j >= i + 1 and j < i + 128, tile"),
            std::string::npos)
      << ahead;
}

// To keep states in memory is work, too, and may be more than it saves.
TEST(PartsTest, PartsThatDoNotPayAreNotMade) {
  Mask mask = Mask::intersectionOf(
      {Mask::causal(),
       Mask::unionOf({Mask::slidingWindow(127, 0), Mask::strided(128)})});
  EXPECT_EQ(planText(mask, known(512, 512), 600).find("part "),
            std::string::npos);
}

TEST(PartsTest, ProblemsOfPartsAreFound) {
  RowClass all, some;
  all.rowEnd = some.rowEnd = TileExpr::numQueries();
  some.rowBegin = TileExpr::constant(1);
  Part plain = {1, {Piece()}, {16, 16}, {all}};
  Part folded = {2, {Piece()}, {16, 16}, {all}};
  EXPECT_EQ(findProblem({folded, plain}), "");
  Part bad = folded;
  bad.step = 0;
  EXPECT_EQ(findProblem(bad),
            "the step of a part must be from 1 to 1073741824, got 0");
  bad = folded;
  bad.classes.clear();
  EXPECT_EQ(findProblem(bad), "a part needs at least one class of rows");
  bad = plain;
  bad.classes.push_back(some);
  EXPECT_EQ(findProblem(bad), "");
  EXPECT_EQ(findProblem({bad, folded})
                .find("a part before the last must have "
                      "one class"),
            0u);
  bad.step = 2;
  EXPECT_EQ(findProblem(bad).find("a folded part must have one class"), 0u);
  bad = plain;
  bad.classes = {some};
  EXPECT_EQ(findProblem(bad).find("the first class of a part must have all"),
            0u);
  bad = folded;
  bad.classes[0].heavy = true;
  EXPECT_NE(findProblem(bad), "");
  bad = plain;
  bad.classes.push_back(all);
  bad.classes[1].layout = Layout::list({4, 9}, 1, 16);
  EXPECT_EQ(findProblem(bad).find("the rows of a part stand one after"), 0u);
  bad = folded;
  bad.classes[0].draws.push_back({});
  EXPECT_EQ(findProblem(bad).find("draws have no place in a part"), 0u);
  bad = folded;
  bad.classes[0].segments.push_back({});
  bad.classes[0].segments[0].layout = Layout::lattice(4, 1, 0, 16);
  EXPECT_EQ(findProblem(bad).find("the keys of a folded part stand"), 0u);
}

} // namespace
