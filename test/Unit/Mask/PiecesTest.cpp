// The normal form stays small: what tests of meaning cannot see.

#include "PieceOracle.h"
#include "RandomMask.h"
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::test;

namespace {

Pieces piecesOf(const Mask &mask) {
  std::optional<Pieces> pieces = mask.pieces();
  EXPECT_TRUE(pieces.has_value()) << toString(mask);
  return pieces.value_or(Pieces());
}

TEST(Bound, FloorsTowardsMinusInfinity) {
  EXPECT_EQ(Bound::blockDiagonal(4, 1).evaluate(-1, 0), -3);
  EXPECT_EQ(Bound::blockDiagonal(4, 1).evaluate(-4, 0), -3);
  EXPECT_EQ(Bound::blockDiagonal(4, 1).evaluate(-5, 0), -7);
  EXPECT_EQ(Bound::blockDiagonal(4, 0).evaluate(7, 0), 4);
  EXPECT_EQ(Bound::diagonal(2).evaluate(-3, 9), -1);
  EXPECT_EQ(Bound::fromEnd(-2).evaluate(5, 9), 7);
  EXPECT_EQ(Bound::constant(3).evaluate(5, 9), 3);
}

TEST(Residue, RemaindersAreNeverNegative) {
  Residue r{Residue::Subject::KeyMinusQuery, 3, 2, 3};
  EXPECT_TRUE(r.holds(/*i=*/1, /*j=*/0));
  EXPECT_TRUE(r.holds(-2, 0));
  EXPECT_FALSE(r.holds(0, 0));
  Residue ofQuery{Residue::Subject::Query, 4, 3, 4};
  EXPECT_TRUE(ofQuery.holds(-1, 7));
}

TEST(Pieces, CausalWindowKeepsTheTighterUpperBound) {
  Pieces pieces = piecesOf(
      Mask::intersectionOf({Mask::causal(), Mask::slidingWindow(8, 8)}));
  ASSERT_EQ(pieces.size(), 1u);
  ASSERT_EQ(pieces[0].upper.size(), 1u);
  EXPECT_EQ(pieces[0].upper[0], Bound::diagonal(1));
  ASSERT_EQ(pieces[0].lower.size(), 1u);
  EXPECT_EQ(pieces[0].lower[0], Bound::diagonal(-8));
  EXPECT_TRUE(pieces[0].isBand());
}

TEST(Pieces, LongformerIsBandRowsAndColumns) {
  Pieces pieces = piecesOf(
      Mask::unionOf({Mask::slidingWindow(256, 256), Mask::global({0, 1})}));
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_FALSE(pieces[0].hasRowBounds());
  EXPECT_TRUE(pieces[1].hasRowBounds());
  EXPECT_EQ(pieces[1].rowUpper[0], Bound::constant(2));
  EXPECT_EQ(pieces[2].upper[0], Bound::constant(2));
}

TEST(Pieces, AdjacentGlobalTokensAreOneRange) {
  Mask mask =
      Mask::global({5, 3, 4, 2, -1, -2}, 0, 0, Mask::Direction::Columns);
  EXPECT_EQ(piecesOf(mask).size(), 2u);
}

TEST(Pieces, ComplementOfGlobalIsTheProductOfItsGaps) {
  // Before or after token 3, before or after token N - 2: four choices for
  // columns, and a fifth for the rows before position 0.
  Mask mask = Mask::complementOf(Mask::global({3, -2}));
  Pieces pieces = piecesOf(mask);
  EXPECT_EQ(pieces.size(), 4u * 5u);
  // Exact where the ranges from the start and from the end cross.
  for (int64_t nk = 1; nk < 9; ++nk)
    for (int64_t nq = 1; nq < 12; ++nq) {
      Lengths n{nq, nk};
      for (int64_t i = n.firstQuery(); i < nk; ++i)
        for (int64_t j = 0; j < nk; ++j)
          ASSERT_EQ(holdsLiterally(pieces, n, 0, i, j),
                    mask.contains(n, 0, i, j))
              << nq << ' ' << nk << ' ' << i << ' ' << j;
    }
}

TEST(Pieces, ComplementOfWindowIsBelowAndAbove) {
  Pieces pieces = piecesOf(Mask::complementOf(Mask::slidingWindow(4, 2)));
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].upper[0], Bound::diagonal(-4));
  EXPECT_EQ(pieces[1].lower[0], Bound::diagonal(3));
}

TEST(Pieces, ComplementOfResidueIsBothSides) {
  Pieces pieces = piecesOf(Mask::complementOf(Mask::periodicColumns(8, 8)));
  EXPECT_TRUE(pieces.empty());
  pieces = piecesOf(Mask::complementOf(Mask::strided(5)));
  ASSERT_EQ(pieces.size(), 1u);
  ASSERT_EQ(pieces[0].residues.size(), 1u);
  EXPECT_EQ(pieces[0].residues[0].begin, 1);
  EXPECT_EQ(pieces[0].residues[0].end, 5);
}

TEST(Pieces, ContradictionsVanish) {
  Mask causal = Mask::causal();
  EXPECT_TRUE(piecesOf(Mask::intersectionOf(
                           {causal, Mask::complementOf(Mask::causal())}))
                  .empty());
  EXPECT_TRUE(piecesOf(Mask::slidingWindow(-1, -1)).empty());
  EXPECT_TRUE(piecesOf(Mask::prefix(0)).empty());
  EXPECT_TRUE(piecesOf(Mask::intersectionOf(
                           {Mask::periodicColumns(8, 2),
                            Mask::complementOf(Mask::periodicColumns(8, 3))}))
                  .empty());
  Mask draw = Mask::random({});
  EXPECT_TRUE(
      piecesOf(Mask::intersectionOf({draw, Mask::complementOf(draw)})).empty());
}

TEST(Pieces, WholesAreOneUnconstrainedPiece) {
  Mask draw = Mask::random({});
  const Mask wholes[] = {
      Mask::full(),
      Mask::strided(1),
      Mask::unionOf({Mask::causal(), Mask::complementOf(Mask::causal())}),
      Mask::unionOf({Mask::full(), Mask::strided(3), Mask::global({0})}),
      Mask::unionOf({draw, Mask::complementOf(draw)}),
      Mask::slidingWindow(std::nullopt, std::nullopt)};
  for (const Mask &mask : wholes) {
    Pieces pieces = piecesOf(mask);
    ASSERT_EQ(pieces.size(), 1u) << toString(mask);
    const Piece &piece = pieces[0];
    EXPECT_TRUE(piece.isBand() && !piece.hasRowBounds() &&
                piece.lower.empty() && piece.upper.empty())
        << toString(mask);
  }
}

TEST(Pieces, ContainedPiecesVanish) {
  Mask mask = Mask::unionOf({Mask::slidingWindow(4, 0),
                             Mask::slidingWindow(9, 2), Mask::causal(),
                             Mask::chunked(8), Mask::slidingWindow(0, 9)});
  // Causal with window<0, 9> on top is everything up to j = i + 9, which a
  // chunk of 8 cannot leave.
  Pieces pieces = piecesOf(mask);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].upper[0], Bound::diagonal(10));
  EXPECT_TRUE(pieces[0].lower.empty());
}

TEST(Pieces, DoubleComplementIsTheMaskAgain) {
  Mask mask = Mask::unionOf({Mask::slidingWindow(3, 3), Mask::chunked(16)});
  Mask twice = Mask::complementOf(Mask::complementOf(mask));
  EXPECT_EQ(piecesOf(twice).size(), piecesOf(mask).size());
}

TEST(Pieces, RandomLeavesOfCompositionsCanBeRecognised) {
  Mask::RandomOptions options;
  options.seed = 5;
  Mask mask = Mask::intersectionOf(
      {Mask::causal(),
       Mask::unionOf({Mask::slidingWindow(1, 1), Mask::random(options)})});
  unsigned draws = 0;
  for (const Piece &piece : piecesOf(mask))
    for (const OpaqueLiteral &literal : piece.opaque)
      if (const RandomBlocks *random = literal.leaf->getRandomBlocks())
        draws += random->seed == 5 && !literal.negated;
  EXPECT_EQ(draws, 1u);
}

TEST(Pieces, TooManyPiecesAreNoPieces) {
  std::vector<Mask> windows;
  for (int64_t k = 0; k < 80; ++k)
    windows.push_back(Mask::slidingWindow(3 * k, -3 * k));
  Mask mask = Mask::unionOf(windows);
  EXPECT_FALSE(mask.pieces().has_value());
  EXPECT_FALSE(mask.pieces(79).has_value());
  ASSERT_TRUE(mask.pieces(80).has_value());
  EXPECT_EQ(mask.pieces(80)->size(), 80u);
}

std::vector<int64_t> scattered(int64_t count) {
  std::vector<int64_t> tokens;
  for (int64_t k = 0; k < count; ++k)
    tokens.push_back(3 * k + k % 2);
  return tokens;
}

// However many there are, and whatever they are composed with.
TEST(Pieces, TokensAreOnePieceOfRowsAndOneOfColumns) {
  Mask window = Mask::slidingWindow(8, 8);
  for (int64_t count : {2, 64, 1000}) {
    Mask tokens = Mask::global(scattered(count));
    EXPECT_EQ(piecesOf(tokens).size(), 2u);
    EXPECT_EQ(piecesOf(Mask::complementOf(tokens)).size(), 1u);
    EXPECT_EQ(piecesOf(Mask::unionOf({window, tokens})).size(), 3u);
    EXPECT_EQ(piecesOf(Mask::intersectionOf({Mask::causal(), tokens})).size(),
              2u);
    EXPECT_EQ(
        piecesOf(Mask::intersectionOf({window, Mask::complementOf(tokens)}))
            .size(),
        1u);
  }
}

// Sets meet and join; one range of them is bounds, and all of them is nothing.
TEST(Pieces, SetsAreSimplified) {
  auto columns = [](std::initializer_list<int64_t> tokens) {
    return Mask::global(std::vector<int64_t>(tokens), 0, 0,
                        Mask::Direction::Columns);
  };
  Pieces pieces = piecesOf(Mask::unionOf({columns({1, 5}), columns({3, 9})}));
  ASSERT_EQ(pieces.size(), 1u);
  ASSERT_EQ(pieces[0].sets.size(), 1u);
  EXPECT_EQ(pieces[0].sets[0].positions->size(), 4);
  pieces =
      piecesOf(Mask::intersectionOf({columns({1, 5, 9}), columns({5, 9, 11})}));
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].sets[0].positions->size(), 2);
  pieces = piecesOf(Mask::intersectionOf({columns({1, 5}), Mask::prefix(4)}));
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_TRUE(pieces[0].sets.empty());
  EXPECT_EQ(pieces[0].lower[0], Bound::constant(1));
  EXPECT_EQ(pieces[0].upper[0], Bound::constant(2));
  pieces = piecesOf(
      Mask::unionOf({columns({1, 5}), Mask::complementOf(columns({1, 5}))}));
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0], Piece());
  EXPECT_TRUE(piecesOf(Mask::intersectionOf({columns({1, 5}), columns({2, 4})}))
                  .empty());
}

TEST(Pieces, SetsExpandToRanges) {
  Pieces pieces = piecesOf(Mask::global({1, 2, 5, 9}));
  EXPECT_FALSE(expandSets(pieces, 5).has_value());
  EXPECT_EQ(expandSets(pieces, 6)->size(), 6u);
  EXPECT_EQ(expandSets(pieces, 6, /*ofRows=*/true, /*ofKeys=*/false)->size(),
            4u);
  std::optional<Pieces> ranges = expandSets(pieces, 6);
  EXPECT_TRUE(
      llvm::all_of(*ranges, [](const Piece &piece) { return piece.isBand(); }));
}

} // namespace
