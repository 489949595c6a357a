// Counting at lengths no table could hold, against closed counts.

#include "RandomMask.h"
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {

constexpr int64_t million = 1 << 20;
constexpr Lengths square{million, million};

TEST(Count, CausalIsATriangle) {
  EXPECT_EQ(countLivePairs(Mask::causal(), square, 0),
            uint64_t(million) * (million + 1) / 2);
  // Beyond 2^32 rows too.
  int64_t n = int64_t(1) << 31;
  EXPECT_EQ(countLivePairs(Mask::causal(), {n, n}, 0),
            uint64_t(n) * (uint64_t(n) + 1) / 2);
}

TEST(Count, BottomRightAlignmentShiftsTheTriangle) {
  // One query, the last, sees every key.
  EXPECT_EQ(countLivePairs(Mask::causal(), {1, million}, 0), uint64_t(million));
  // Rows before position 0 see none.
  EXPECT_EQ(countLivePairs(Mask::causal(), {million, 10}, 0), 55u);
}

TEST(Count, LongformerAtAMillion) {
  Mask mask = Mask::unionOf({Mask::slidingWindow(256, 256), Mask::global({0})});
  // The band less its corners; row 0 and column 0 beyond the band.
  uint64_t band = uint64_t(million) * 513 - 256 * 257;
  EXPECT_EQ(countLivePairs(mask, square, 0), band + 2 * (million - 257));
}

TEST(Count, BigBirdAtAMillion) {
  int64_t b = 64, nb = million / b;
  Mask::RandomOptions random;
  random.bigBirdWindowRadius = 1;
  Mask mask = Mask::unionOf({Mask::slidingWindow(1, 1, 1, b),
                             Mask::global({}, b, b), Mask::random(random)});
  // Row blocks 0 and nb - 1 see all nb blocks. Others see blocks 0 and nb - 1,
  // three of the window and three at random; 1 and nb - 2 share one of the
  // window with the global ones.
  uint64_t blocks = 2 * nb + 2 * (2 + 2 + 3) + (nb - 4) * (2 + 3 + 3);
  for (int64_t head : {0, 11})
    EXPECT_EQ(countLivePairs(mask, square, head), blocks * b * b);
}

TEST(Count, BigBirdWithRaggedLastBlock) {
  int64_t b = 64, n = million - 17, nb = million / b, last = b - 17;
  Mask::RandomOptions random;
  random.bigBirdWindowRadius = 1;
  Mask mask = Mask::unionOf({Mask::slidingWindow(1, 1, 1, b),
                             Mask::global({}, b, last), Mask::random(random)});
  // As above, where one block of each row is short: the last.
  uint64_t rest = b * ((nb - 4) * (7 * b + last) + 2 * (6 * b + last));
  EXPECT_EQ(countLivePairs(mask, {n, n}, 0), uint64_t(n) * (b + last) + rest);
}

TEST(Count, SparseTransformerStridedAtAMillion) {
  int64_t s = 1024;
  Mask mask = Mask::intersectionOf(
      {Mask::causal(),
       Mask::unionOf({Mask::slidingWindow(s - 1, 0), Mask::strided(s)})});
  // Row i sees min(i + 1, s) keys of the window and floor(i / s) before it.
  uint64_t expected = 0;
  for (int64_t i = 0; i < million; ++i)
    expected += std::min(i + 1, s) + i / s;
  EXPECT_EQ(countLivePairs(mask, square, 0), expected);
}

TEST(Count, SparseTransformerFixedAtAMillion) {
  int64_t s = 128, c = 8;
  Mask mask = Mask::intersectionOf(
      {Mask::causal(),
       Mask::unionOf({Mask::chunked(s), Mask::periodicColumns(s, c)})});
  // Row i sees its own chunk up to itself and c keys of each chunk before.
  uint64_t expected = 0;
  for (int64_t i = 0; i < million; ++i)
    expected += i % s + 1 + i / s * c;
  EXPECT_EQ(countLivePairs(mask, square, 0), expected);
}

TEST(Count, UnionOfStridesIsCountedByInclusionExclusion) {
  // Pairs at distance x are n - |x|.
  auto multiples = [](int64_t m) {
    uint64_t sum = million;
    for (int64_t x = m; x < million; x += m)
      sum += 2 * (million - x);
    return sum;
  };
  Mask mask = Mask::unionOf({Mask::strided(64), Mask::strided(100)});
  EXPECT_EQ(countLivePairs(mask, square, 0),
            multiples(64) + multiples(100) - multiples(1600));
  // The common period of these is longer than the sequence.
  Mask coprime = Mask::unionOf({Mask::strided(1021), Mask::strided(1031)});
  EXPECT_EQ(countLivePairs(coprime, square, 0),
            multiples(1021) + multiples(1031) - multiples(1021 * 1031));
}

TEST(Count, ComplementsAddUpToAllPairs) {
  Mask::RandomOptions random;
  random.blocksPerRow = 2;
  const Mask masks[] = {
      Mask::unionOf({Mask::slidingWindow(256, 256), Mask::global({0, -7})}),
      Mask::unionOf({Mask::causal(), Mask::random(random)}),
      Mask::intersectionOf({Mask::causal(), Mask::strided(128)}),
      Mask::slidingWindow(5, 5, 3),
      Mask::unionOf({Mask::chunked(512), Mask::prefix(1000)})};
  for (const Mask &mask : masks)
    EXPECT_EQ(countLivePairs(mask, square, 0) +
                  countLivePairs(Mask::complementOf(mask), square, 0),
              uint64_t(million) * million)
        << test::toString(mask);
}

TEST(Count, ManyGlobalTokensAtAMillion) {
  std::vector<int64_t> tokens;
  for (int64_t k = 0; k < 200; ++k)
    tokens.push_back(k * 5000);
  uint64_t dead = uint64_t(million - 200) * (million - 200);
  EXPECT_EQ(countLivePairs(Mask::global(tokens), square, 0),
            uint64_t(million) * million - dead);
}

} // namespace
