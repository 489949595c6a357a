//===- CompareMergeTest.cpp -----------------------------------------------===//

#include "SparseAttn/Oracle/Compare.h"
#include "SparseAttn/Oracle/Noise.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::support;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

namespace {
/// Two results of 2 x 3 x 5 rows of 8 elements, and what a float kernel makes
/// of them.
struct MergeTest : testing::Test {
  static constexpr int64_t kRows = 2 * 3 * 5, kSize = 8;

  MergeTest() {
    fillNormal(x, 7, 0);
    fillNormal(y, 7, 1);
    fillNormal(lx, 7, 2);
    fillNormal(ly, 7, 3);
  }

  void merge() {
    for (int64_t row = 0; row < kRows; ++row) {
      float base = std::fmax(lx[row], ly[row]);
      if (base == -kInfinity)
        base = 0;
      float wx = std::exp(lx[row] - base), wy = std::exp(ly[row] - base);
      lse[row] = base + std::log(wx + wy);
      for (int64_t d = row * kSize; d < (row + 1) * kSize; ++d) {
        float sum = (wx ? wx * x[d] : 0) + (wy ? wy * y[d] : 0);
        o[d] = wx + wy == 0 ? 0 : sum / (wx + wy);
      }
    }
  }

  Comparison compare(FloatType type = FloatType::F32) {
    return compareMerge(
        {2, 3, 5, kSize, x.data(), lx.data(), y.data(), ly.data()}, type,
        o.data(), lse.data());
  }

  std::vector<float> x = std::vector<float>(kRows * kSize), y = x, o = x,
                     lx = std::vector<float>(kRows), ly = lx, lse = lx;
};
} // namespace

TEST_F(MergeTest, TakesWhatAFloatKernelComputes) {
  merge();
  Comparison result = compare();
  EXPECT_TRUE(result.passed()) << result.worst->str();
  EXPECT_EQ(result.rows, kRows);
  EXPECT_GT(result.worstRatio, 0);
}

TEST_F(MergeTest, NamesTheElement) {
  merge();
  o[(1 * 3 * 5 + 2 * 5 + 4) * kSize + 3] += 1e-3f;
  Comparison result = compare();
  EXPECT_EQ(result.mismatches, 1);
  EXPECT_EQ(result.worst->batch, 1);
  EXPECT_EQ(result.worst->head, 2);
  EXPECT_EQ(result.worst->row, 4);
  EXPECT_EQ(result.worst->element, 3);
}

TEST_F(MergeTest, JudgesTheLogSumExp) {
  merge();
  lse[7] += 1e-4f;
  Comparison result = compare();
  EXPECT_EQ(result.mismatches, 1);
  EXPECT_EQ(result.worst->row, 2);
  EXPECT_FALSE(result.worst->element);
}

TEST_F(MergeTest, DoesNotReadAnOutputWithoutKeys) {
  lx[0] = -kInfinity;
  x[0] = kNaN;
  lx[1] = ly[1] = -kInfinity;
  y[kSize] = kInfinity;
  merge();
  EXPECT_TRUE(compare().passed());
  EXPECT_EQ(o[0], y[0]);
  o[kSize] = 1e-30f;
  EXPECT_FALSE(compare().passed());
}

TEST_F(MergeTest, WantsNaNWhereALogSumExpIs) {
  lx[0] = kNaN;
  merge();
  for (int64_t d = 0; d < kSize; ++d)
    o[d] = kNaN;
  lse[0] = kNaN;
  EXPECT_TRUE(compare().passed());
  o[1] = 0;
  EXPECT_EQ(compare().mismatches, 1);
}

TEST_F(MergeTest, TakesHugeLogSumExps) {
  lx[0] = ly[0] = 3e38f;
  lx[1] = -3e38f;
  merge();
  EXPECT_TRUE(compare().passed());
}
