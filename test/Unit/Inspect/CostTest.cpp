//===- CostTest.cpp -------------------------------------------------------===//

#include "SparseAttn/Inspect/Cost.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspection;

TEST(Cost, LongformerBase) {
  uint64_t live = 12 * uint64_t(2'043'134);
  Cost cost = estimateCost({1, 12, 12, 4096, 4096, 64, 64}, 2, live);
  EXPECT_EQ(cost.livePairs, live);
  EXPECT_EQ(cost.totalPairs, 12u * 4096 * 4096);
  EXPECT_DOUBLE_EQ(cost.density, 2'043'134.0 / (4096.0 * 4096.0));
  // 4 D operations a pair.
  EXPECT_EQ(cost.flops, 4 * 64 * live);
  EXPECT_EQ(cost.denseFlops, uint64_t(4) * 64 * 12 * 4096 * 4096);
  // Four tensors of 12 x 4096 x 64 elements of two bytes.
  EXPECT_EQ(cost.bytes, 4u * 12 * 4096 * 64 * 2);
}

TEST(Cost, GroupedHeadsReadKeysOnceAndWidthsMayDiffer) {
  Cost cost = estimateCost({3, 8, 2, 5, 7, 16, 32}, 4, 100);
  EXPECT_EQ(cost.totalPairs, 8u * 5 * 7);
  EXPECT_EQ(cost.flops, 3u * 100 * 2 * (16 + 32));
  EXPECT_EQ(cost.denseFlops, 3u * 280 * 2 * (16 + 32));
  uint64_t q = 3 * 8 * 5 * 16, k = 3 * 2 * 7 * 16, v = 3 * 2 * 7 * 32,
           o = 3 * 8 * 5 * 32;
  EXPECT_EQ(cost.bytes, 4 * (q + k + v + o));
  EXPECT_DOUBLE_EQ(cost.intensity(), double(cost.flops) / double(cost.bytes));
}

TEST(Cost, LongSequencesDoNotOverflow) {
  int64_t n = int64_t(1) << 20;
  Cost cost = estimateCost({1, 32, 32, n, n, 128, 128}, 2, uint64_t(n) * 32);
  EXPECT_EQ(cost.denseFlops, uint64_t(512) << 45);
  EXPECT_DOUBLE_EQ(cost.density, 1.0 / double(n));
}

TEST(Cost, NoPairsIsDense) {
  Cost cost = estimateCost({1, 1, 1, 0, 8, 4, 4}, 2, 0);
  EXPECT_EQ(cost.density, 1.0);
  EXPECT_EQ(cost.flops, 0u);
}
