//===- ReachTest.cpp ------------------------------------------------------===//

#include "SparseAttn/Inspect/Reach.h"
#include "gtest/gtest.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::mask;

static Mask makeRandom(int64_t block, int64_t blocksPerRow, uint64_t seed) {
  Mask::RandomOptions options;
  options.block = block;
  options.blocksPerRow = blocksPerRow;
  options.seed = seed;
  return Mask::random(options);
}

/// R_L of every position, pair by pair from the definition; the last one is
/// the limit.
static std::vector<std::vector<std::vector<bool>>>
reachByDefinition(const Mask &mask, int64_t n, int64_t heads) {
  using Relation = std::vector<std::vector<bool>>;
  Relation live(n, std::vector<bool>(n)), now = live;
  for (int64_t i = 0; i < n; ++i) {
    now[i][i] = true;
    for (int64_t j = 0; j < n; ++j)
      for (int64_t h = 0; h < heads; ++h)
        live[i][j] = live[i][j] || mask.contains({n, n}, h, i, j);
  }
  std::vector<Relation> result{now};
  while (true) {
    Relation next = now;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < n; ++k)
        for (int64_t j = 0; live[i][k] && j < n; ++j)
          next[i][j] = next[i][j] || now[k][j];
    if (next == now)
      return result;
    result.push_back(now = next);
  }
}

static double countReached(const std::vector<std::vector<bool>> &relation) {
  double count = 0;
  for (const std::vector<bool> &row : relation)
    count += std::count(row.begin(), row.end(), true);
  return count;
}

TEST(Reach, EqualsTheDefinitionOnEveryKindOfMask) {
  Mask window = Mask::slidingWindow(2, 1);
  std::vector<Mask> masks{
      window,
      Mask::slidingWindow(3, 3, 2),
      Mask::slidingWindow(1, 0, 1, 4),
      Mask::causal(),
      Mask::full(),
      Mask::chunked(5),
      Mask::strided(4),
      Mask::global({3}),
      Mask::unionOf({window, Mask::global({0})}),
      Mask::intersectionOf({Mask::causal(), Mask::strided(3)}),
      Mask::intersectionOf(
          {Mask::causal(),
           Mask::unionOf({Mask::slidingWindow(2, 0), Mask::strided(5)})}),
      makeRandom(/*block=*/3, /*blocksPerRow=*/1, /*seed=*/4)};
  for (const Mask &mask : masks)
    for (int64_t n : {1, 2, 13, 70}) {
      Reach reach = computeReach(mask, n, /*numHeads=*/2);
      auto expected = reachByDefinition(mask, n, 2);
      double all = reach.kind == ReachKind::Full ? n * n : n * (n + 1) / 2;
      EXPECT_TRUE(reach.isExact());
      ASSERT_EQ(reach.fractions.size(), expected.size());
      if (reach.kind == ReachKind::Never) {
        EXPECT_FALSE(reach.layers.has_value());
        EXPECT_LT(reach.fractions.back(), 1.0);
        EXPECT_LT(countReached(expected.back()), double(n * n));
        continue;
      }
      EXPECT_EQ(*reach.layers, int64_t(expected.size()) - 1);
      for (size_t layer = 0; layer < expected.size(); ++layer)
        EXPECT_DOUBLE_EQ(reach.fractions[layer],
                         countReached(expected[layer]) / all);
    }
}

TEST(Reach, AWindowTakesLengthOverWidthLayers) {
  Reach reach = computeReach(Mask::slidingWindow(256, 256), 4096, 1);
  EXPECT_EQ(reach.kind, ReachKind::Full);
  EXPECT_EQ(reach.layers, (4095 + 255) / 256);
  EXPECT_DOUBLE_EQ(reach.fractionAfter(0), 1.0 / 4096);
  EXPECT_LT(reach.fractionAfter(12), 1.0);
  EXPECT_EQ(reach.fractionAfter(1000), 1.0);

  reach = computeReach(Mask::slidingWindow(255, 0), 1024, 1);
  EXPECT_EQ(reach.kind, ReachKind::Causal);
  EXPECT_EQ(reach.layers, (1023 + 254) / 255);
}

TEST(Reach, OneGlobalTokenConnectsAllInTwoLayers) {
  Mask longformer =
      Mask::unionOf({Mask::slidingWindow(4, 4), Mask::global({0})});
  Reach reach = computeReach(longformer, 4096, 12);
  EXPECT_EQ(reach.kind, ReachKind::Full);
  EXPECT_EQ(reach.layers, 2);
}

TEST(Reach, ChunksAndDilationAloneNeverConnect) {
  EXPECT_EQ(computeReach(Mask::chunked(64), 1024, 1).kind, ReachKind::Never);
  Reach dilated = computeReach(Mask::slidingWindow(8, 8, 2), 1024, 1);
  EXPECT_EQ(dilated.kind, ReachKind::Never);
  // Even and odd positions stay apart.
  EXPECT_DOUBLE_EQ(dilated.fractions.back(), 0.5);
}

TEST(Reach, BlocksOfALongSequenceGiveALowerBoundOfTheLayers) {
  for (int64_t width : {7, 16, 50}) {
    Mask mask = Mask::slidingWindow(width, width);
    Reach exact = computeReach(mask, 1000, 1);
    Reach coarse = computeReach(mask, 1000, 1, /*maxUnits=*/64);
    EXPECT_EQ(coarse.granularity, 16);
    EXPECT_FALSE(coarse.isExact());
    ASSERT_TRUE(coarse.layers && exact.layers);
    EXPECT_LE(*coarse.layers, *exact.layers);
    for (int64_t layer = 0; layer < *exact.layers; ++layer)
      EXPECT_GE(coarse.fractionAfter(layer), exact.fractionAfter(layer));
  }
  // Chunks that blocks do not straddle: Never is certain at any granularity.
  EXPECT_EQ(computeReach(Mask::chunked(32), 1000, 1, 64).kind,
            ReachKind::Never);
  EXPECT_EQ(computeReach(Mask::causal(), 100'000, 1).kind, ReachKind::Causal);
}

TEST(Reach, ALayerSeesWithAllItsHeads) {
  Mask random = makeRandom(/*block=*/8, /*blocksPerRow=*/1, /*seed=*/0);
  Reach one = computeReach(random, 512, 1), many = computeReach(random, 512, 8);
  EXPECT_GT(many.fractionAfter(1), one.fractionAfter(1));
  ASSERT_TRUE(many.layers.has_value());
}
