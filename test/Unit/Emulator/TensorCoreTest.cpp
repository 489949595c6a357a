//===- TensorCoreTest.cpp - What tensor cores keep of a sum ---------------===//
//
// The cases are those that tell hardware apart (Fasi et al. 2021, Khattak and
// Mikaitis 2025); what is expected is what an A100 was seen to do.
//
//===----------------------------------------------------------------------===//

#include "TensorCore.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

using namespace mlir::sparse_attn::emulator;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// c + the products of the pairs, of which 8 are one group.
static float sumOf(float c,
                   const std::vector<std::pair<float, float>> &products,
                   unsigned group = 8) {
  MmaMatrices matrices = {};
  matrices.d[3][5] = c;
  for (unsigned k = 0; k < products.size(); ++k) {
    matrices.a[3][k] = products[k].first;
    matrices.b[k][5] = products[k].second;
  }
  multiplyAccumulate(matrices, 16, group);
  return matrices.d[3][5];
}

TEST(TensorCore, CutsTheSumOff) {
  EXPECT_EQ(sumOf(1, {{1, 0x1p-24f}}), 1);
  // Nearest would be the even neighbour above, and the one above that.
  EXPECT_EQ(sumOf(1, {{1, 0x1.8p-23f}}), 1 + 0x1p-23f);
  EXPECT_EQ(sumOf(-1, {{1, -0x1.8p-23f}}), -1 - 0x1p-23f);
  EXPECT_EQ(sumOf(1, {{1, -0x1p-24f}}), 1 - 0x1p-24f);
}

TEST(TensorCore, KeepsOneBitBelowTheLastOfTheLargest) {
  EXPECT_EQ(sumOf(1, {{1, 0x1p-24f}, {1, 0x1p-24f}}), 1 + 0x1p-23f);
  EXPECT_EQ(
      sumOf(1, {{1, 0x1p-25f}, {1, 0x1p-25f}, {1, 0x1p-25f}, {1, 0x1p-25f}}),
      1);
  EXPECT_EQ(sumOf(1, {{1, -0x1p-25f}}), 1);
}

TEST(TensorCore, TakesAGroupAtATime) {
  std::vector<std::pair<float, float>> products(12, {0.0f, 0.0f});
  products[0] = products[11] = {1, 0x1p-24f};
  EXPECT_EQ(sumOf(1, products), 1);
  EXPECT_EQ(sumOf(1, products, /*group=*/16), 1 + 0x1p-23f);
}

TEST(TensorCore, CountsAProductByTheExponentsOfItsFactors) {
  // 2.25 counts as 1.5 * 2^0, so that 2^-24 is still there when it is gone.
  EXPECT_EQ(sumOf(0, {{1.5f, 1.5f}, {1.5f, -1.5f}, {1, 0x1p-24f}}), 0x1p-24f);
  EXPECT_EQ(sumOf(2.25f, {{1.5f, -1.5f}, {1, 0x1p-24f}}), 0);
}

TEST(TensorCore, SkipsZeros) {
  EXPECT_EQ(sumOf(0, {{0x1p100f, 0}, {0x1p-70f, 0x1p-30f}}), 0x1p-100f);
  EXPECT_EQ(sumOf(0x1p-120f, {}), 0x1p-120f);
}

TEST(TensorCore, ReachesTheEndsOfTheRange) {
  EXPECT_EQ(sumOf(0, {{0x1p127f, 0x1p127f}}), kInfinity);
  EXPECT_EQ(sumOf(0, {{0x1p100f, 0x1p27f}, {0x1p100f, 0x1p-100f}}), 0x1p127f);
  EXPECT_EQ(sumOf(0, {{0x1p-120f, 0x1p-120f}}), 0);
  EXPECT_EQ(sumOf(0x1p-149f, {{0x1p-74f, 0x1p-74f}}), 0x1.8p-148f);
}

TEST(TensorCore, KeepsInfinitiesAndNaNs) {
  EXPECT_EQ(sumOf(1, {{kInfinity, 2}}), kInfinity);
  EXPECT_EQ(sumOf(-kInfinity, {{1, 1}}), -kInfinity);
  EXPECT_TRUE(std::isnan(sumOf(1, {{kInfinity, 0}})));
  EXPECT_TRUE(std::isnan(sumOf(kInfinity, {{-kInfinity, 1}})));
  EXPECT_TRUE(std::isnan(sumOf(NAN, {{1, 1}})));
}
