// Unions of pieces as text: what is printed reads as the same union, and what
// does not read says why and where.

#include "SparseAttn/Mask/PieceText.h"
#include "FuzzOptions.h"
#include "PieceOracle.h"
#include "RandomMask.h"
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::test;

namespace {

TEST(PieceText, PiecesOfRandomMasksReadAsTheSame) {
  for (int seed = 0, cases = fuzzCases(2000); seed < cases; ++seed) {
    std::mt19937_64 rng(seed);
    std::optional<Pieces> pieces =
        randomMask(rng, seed % 4, /*allowOpaque=*/false).pieces();
    if (!pieces)
      continue;
    std::string text = textOf(*pieces), error;
    std::optional<Pieces> read = parsePieces(text, error);
    ASSERT_TRUE(read) << text << ": " << error;
    EXPECT_EQ(*read, *pieces) << text;
  }
}

TEST(PieceText, IsWhatOneWouldWrite) {
  auto textOfMask = [](const Mask &mask) { return textOf(*mask.pieces()); };
  EXPECT_EQ(textOfMask(Mask::slidingWindow(8, 8)), "j >= i - 8 and j < i + 9");
  EXPECT_EQ(textOfMask(Mask::chunked(64)),
            "j >= i floordiv 64 * 64 and j < i floordiv 64 * 64 + 64");
  EXPECT_EQ(textOfMask(Mask::strided(4)), "j - i mod 4 in 0 to 1");
  EXPECT_EQ(textOfMask(Mask::global({-3}, 0, 0, Mask::Direction::Rows)),
            "i >= nk - 3 and i >= 0 and i < nk - 2");
  Mask tokens = Mask::global({9, 5, -3, -1}, 0, 0, Mask::Direction::Columns);
  EXPECT_EQ(textOfMask(tokens), "j in {5, 9} or j - nk in {-3, -1}");
  EXPECT_EQ(textOfMask(Mask::complementOf(tokens)),
            "j not in {5, 9} and j - nk not in {-3, -1}");
  EXPECT_EQ(textOfMask(Mask::intersectionOf(
                {Mask::prefix(8), Mask::global({0, 1, 5, 8}).transpose()})),
            "j < 8 and i in {0 to 2, 5, 8} or j in {0 to 2, 5}");
  EXPECT_EQ(textOfMask(Mask::full()), "all");
  EXPECT_EQ(textOfMask(Mask::complementOf(Mask::full())), "none");
}

TEST(PieceText, SignsOfBoundsStay) {
  for (const char *text : {"j < -3", "j >= -nk", "j < i - nk * 2 + 3",
                           "i < nk - 3", "j >= -nk * 2 - 1", "j < 0"}) {
    std::string error;
    std::optional<Pieces> read = parsePieces(text, error);
    ASSERT_TRUE(read) << text << ": " << error;
    EXPECT_EQ(textOf(*read), text);
  }
}

void expectError(llvm::StringRef text, llvm::StringRef message, size_t offset) {
  std::string error;
  size_t at = 0;
  EXPECT_FALSE(parsePieces(text, error, &at)) << text.str();
  EXPECT_EQ(error, message.str()) << text.str();
  EXPECT_EQ(at, offset) << text.str();
}

TEST(PieceText, ErrorsNameTheFactAndThePlace) {
  expectError("", "expected 'i' or 'j'", 0);
  expectError("k < 3", "expected 'i' or 'j'", 0);
  expectError("j > 3", "expected '>=', '<' or 'mod'", 2);
  expectError("j - 3", "expected 'i' or 'nk' after 'j -'", 4);
  expectError("i - 3", "expected 'nk' after 'i -'", 4);
  expectError("i - nk < 3", "expected 'in' or 'not in'", 7);
  expectError("j not {3}", "expected 'in' after 'not'", 6);
  expectError("j in 3", "expected '{'", 5);
  expectError("j in {3, 2}",
              "positions of a set ascend, and ranges of them do not touch", 10);
  expectError("j in {3 to 3}", "a range of a set needs begin < end", 12);
  expectError("j in {3 4}", "expected ',' or '}'", 8);
  expectError("j in {1073741825}", "a position of a set is at most 2^30", 16);
  expectError("j - i < 3", "expected 'mod'", 6);
  expectError("j < ", "expected an integer", 4);
  expectError("j < 3 x", "unexpected 'x'", 6);
  expectError("i < i", "a bound of i depends on i", 5);
  expectError("j < i + i", "a bound is at most one multiple of i", 9);
  expectError("j < i floordiv 4 + 1", "expected '*' and the divisor again", 17);
  expectError("j < i floordiv 4 * 5",
              "a block of i needs one divisor and factor from 1 to 2^31", 20);
  expectError("j mod 4 to 5", "expected 'in'", 8);
  expectError("j mod 4 in 1", "expected 'to'", 12);
  expectError("j mod 4 in 2 to 5",
              "a residue needs begin < end <= modulus <= 2^31", 17);
  expectError("j < 99999999999999999999",
              "the integer '99999999999999999999' is too large", 4);
  expectError("j < nk * 9999", "a bound is too large", 13);
  std::string many = "all";
  for (unsigned k = 0; k < defaultMaxPieces; ++k)
    many += " or all";
  expectError(many, "the union has too many pieces", many.size());
  std::string longOne = "j < 1";
  for (int k = 0; k < 64; ++k)
    longOne += " and j < 1";
  expectError(longOne, "the piece has too many literals", longOne.size() - 5);
}

} // namespace
