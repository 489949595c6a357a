//===- NoiseTest.cpp ------------------------------------------------------===//

#include "SparseAttn/Oracle/Noise.h"
#include "gtest/gtest.h"
#include <cmath>
#include <set>
#include <vector>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;

static std::vector<float> makeNoise(size_t count, uint64_t seed,
                                    uint64_t stream) {
  std::vector<float> result(count);
  fillNormal(result, seed, stream);
  return result;
}

TEST(Noise, ElementDependsOnSeedStreamAndIndexOnly) {
  std::vector<float> noise = makeNoise(1001, 7, 0);
  EXPECT_EQ(noise, makeNoise(1001, 7, 0));
  std::vector<float> shorter = makeNoise(500, 7, 0);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), noise.begin()));
  EXPECT_NE(noise, makeNoise(1001, 8, 0));
  EXPECT_NE(noise, makeNoise(1001, 7, 1));
}

TEST(Noise, ValuesAreTheSameOnEveryPlatform) {
  // Computed apart from this code, in arbitrary-precision arithmetic.
  std::vector<float> noise = makeNoise(4, 0, 0);
  EXPECT_FLOAT_EQ(noise[0], 1.954974412f);
  EXPECT_FLOAT_EQ(noise[1], -0.3589195831f);
  EXPECT_FLOAT_EQ(noise[2], 1.309999528f);
  EXPECT_FLOAT_EQ(noise[3], -0.9194412894f);
}

TEST(Noise, MomentsAreThoseOfTheStandardNormal) {
  std::vector<float> noise = makeNoise(1 << 20, 3, 5);
  double moments[5] = {}, neighbours = 0;
  for (size_t i = 0; i < noise.size(); ++i) {
    ASSERT_TRUE(std::isfinite(noise[i]));
    for (int power = 1; power <= 4; ++power)
      moments[power] += std::pow(static_cast<double>(noise[i]), power);
    neighbours += static_cast<double>(noise[i]) * noise[(i + 1) % noise.size()];
  }
  double n = noise.size();
  // Five standard errors: the k-th moment has variance E x^2k - (E x^k)^2.
  EXPECT_NEAR(moments[1] / n, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(moments[2] / n, 1.0, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(moments[3] / n, 0.0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(moments[4] / n, 3.0, 5 * std::sqrt(96 / n));
  EXPECT_NEAR(neighbours / n, 0.0, 5 / std::sqrt(n));
}

TEST(Noise, DrawBelowReachesEveryValueEvenly) {
  std::vector<int> counts(10);
  for (uint64_t counter = 0; counter < 100000; ++counter) {
    uint64_t value = drawBelow(1, counter, 10);
    ASSERT_LT(value, 10u);
    ++counts[value];
  }
  for (int count : counts)
    EXPECT_NEAR(count, 10000, 5 * std::sqrt(10000.0));
  EXPECT_EQ(drawBelow(1, 2, 1), 0u);
}
