//===- CompareTest.cpp ----------------------------------------------------===//

#include "SparseAttn/Oracle/Compare.h"
#include "SparseAttn/Oracle/Float16.h"
#include "SparseAttn/Oracle/Noise.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <set>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::support;

static float roundTo(FloatType type, float value) {
  switch (type) {
  case FloatType::F16:
    return halfToFloat(floatToHalf(value));
  case FloatType::BF16:
    return bfloatToFloat(floatToBfloat(value));
  case FloatType::F32:
    return value;
  }
  llvm_unreachable("all types handled");
}

namespace {
/// A problem on noise rounded to `type`, with the result of a plain kernel: one
/// pass in float with a running maximum, weights rounded to `type`.
struct Problem {
  Problem(AttentionShape shape, FloatType type, AllowedFn allowed,
          float keyScale = 1.0f)
      : type(type) {
    auto fill = [&](std::vector<float> &data, int64_t size, uint64_t stream,
                    float factor) {
      data.resize(size);
      fillNormal(data, 11, stream);
      for (float &value : data)
        value = roundTo(type, factor * value);
    };
    fill(q, shape.batch * shape.queryHeads * shape.queries * shape.headDim, 0,
         1.0f);
    fill(k, shape.batch * shape.keyHeads * shape.keys * shape.headDim, 1,
         keyScale);
    fill(v, shape.batch * shape.keyHeads * shape.keys * shape.valueDim, 2,
         1.0f);
    inputs = {shape, q.data(), k.data(), v.data(),
              1.0 / std::sqrt(static_cast<double>(shape.headDim))};
    run(allowed);
  }

  void run(AllowedFn allowed) {
    const AttentionShape &s = inputs.shape;
    output.assign(s.batch * s.queryHeads * s.queries * s.valueDim, 0.0f);
    lse.assign(s.batch * s.queryHeads * s.queries, -INFINITY);
    for (int64_t b = 0; b < s.batch; ++b)
      for (int64_t h = 0; h < s.queryHeads; ++h)
        for (int64_t r = 0; r < s.queries; ++r)
          runRow(allowed, b, h, r);
  }

  void runRow(AllowedFn allowed, int64_t b, int64_t h, int64_t r) {
    const AttentionShape &s = inputs.shape;
    int64_t row = (b * s.queryHeads + h) * s.queries + r;
    int64_t firstKey =
        (b * s.keyHeads + h / (s.queryHeads / s.keyHeads)) * s.keys;
    float scale = static_cast<float>(inputs.scale);
    float maximum = -INFINITY, sum = 0;
    std::vector<float> acc(s.valueDim);
    for (int64_t j = 0; j < s.keys; ++j) {
      if (!allowed({s.queries, s.keys}, h, r + s.keys - s.queries, j))
        continue;
      float score = 0;
      for (int64_t d = 0; d < s.headDim; ++d)
        score += q[row * s.headDim + d] * k[(firstKey + j) * s.headDim + d];
      score *= scale;
      float next = std::max(maximum, score);
      float rescale = std::exp(maximum - next);
      float weight = std::exp(score - next);
      maximum = next;
      sum = sum * rescale + weight;
      for (int64_t d = 0; d < s.valueDim; ++d)
        acc[d] = acc[d] * rescale +
                 roundTo(type, weight) * v[(firstKey + j) * s.valueDim + d];
    }
    if (sum == 0)
      return;
    lse[row] = maximum + std::log(sum);
    for (int64_t d = 0; d < s.valueDim; ++d)
      output[row * s.valueDim + d] = roundTo(type, acc[d] / sum);
  }

  Comparison compare(AllowedFn allowed, CompareOptions options = {}) const {
    return compareRows(inputs, type, allowed, output.data(), lse.data(),
                       options);
  }

  FloatType type;
  std::vector<float> q, k, v, output, lse;
  AttentionInputs inputs;
};

class CompareTypes : public testing::TestWithParam<FloatType> {};
} // namespace

INSTANTIATE_TEST_SUITE_P(, CompareTypes,
                         testing::Values(FloatType::F16, FloatType::BF16,
                                         FloatType::F32));

static constexpr AttentionShape windowShape{1, 4, 2, 300, 1024, 64, 48};

static bool inWindow(const SequenceLengths &, int64_t, int64_t i, int64_t j) {
  return std::abs(i - j) <= 256;
}

TEST_P(CompareTypes, APlainKernelPassesAndUsesTheTolerance) {
  Problem p(windowShape, GetParam(), inWindow);
  Comparison result = p.compare(inWindow, {std::nullopt});
  EXPECT_TRUE(result.passed()) << result.worst->str();
  EXPECT_EQ(result.rows, 4 * 300);
  EXPECT_GT(result.maxAbsError, 0);
  // Neither so wide that nothing could fail, nor on the edge.
  EXPECT_GT(result.worstRatio, 0.02);
  EXPECT_LT(result.worstRatio, 0.9);
}

TEST_P(CompareTypes, LargeScoresPassToo) {
  Problem p(windowShape, GetParam(), inWindow, /*keyScale=*/10.0f);
  Comparison result = p.compare(inWindow, {std::nullopt});
  EXPECT_TRUE(result.passed()) << result.worst->str();
}

TEST_P(CompareTypes, DenseRowsPassToo) {
  auto all = [](const SequenceLengths &, int64_t, int64_t, int64_t) {
    return true;
  };
  Problem p({1, 1, 1, 64, 8192, 64, 64}, GetParam(), all);
  Comparison result = p.compare(all, {std::nullopt});
  EXPECT_TRUE(result.passed()) << result.worst->str();
}

TEST_P(CompareTypes, AWindowOffByOneIsCaught) {
  Problem p(windowShape, GetParam(),
            [](const SequenceLengths &, int64_t, int64_t i, int64_t j) {
              return i - j <= 256 && j - i <= 257;
            });
  Comparison result = p.compare(inWindow);
  EXPECT_FALSE(result.passed());
  // Caught in most rows, not by luck in one.
  EXPECT_GT(result.mismatches, result.rows);
}

TEST_P(CompareTypes, AWrongScaleIsCaught) {
  Problem p(windowShape, GetParam(), inWindow);
  p.inputs.scale *= 1.01;
  EXPECT_FALSE(p.compare(inWindow).passed());
}

TEST(Compare, NaNAndInfinityMustStandInTheSamePlaces) {
  AttentionShape shape{1, 1, 1, 4, 8, 4, 4};
  auto all = [](const SequenceLengths &, int64_t, int64_t, int64_t) {
    return true;
  };
  for (float wrong : {NAN, INFINITY, -INFINITY}) {
    Problem p(shape, FloatType::F32, all);
    p.output[2 * 4 + 3] = wrong;
    Comparison result = p.compare(all);
    ASSERT_EQ(result.mismatches, 1);
    EXPECT_EQ(result.worst->row, 2);
    EXPECT_EQ(result.worst->element, 3);
    EXPECT_EQ(result.worstRatio, INFINITY);
    // The report says so, too: no error would be the smallest.
    for (double error : {result.maxAbsError, result.maxRelError})
      EXPECT_EQ(std::isnan(wrong) ? std::isnan(error) : std::isinf(error), true)
          << error;
  }
  // A kernel that hides a live NaN behind a number.
  Problem p(shape, FloatType::F32, all);
  p.v[5 * 4 + 1] = NAN;
  Comparison result = p.compare(all);
  EXPECT_EQ(result.mismatches, 4);
  EXPECT_EQ(result.worst->element, 1);
  EXPECT_TRUE(std::isnan(result.maxAbsError));
  // And one that does not.
  p.run(all);
  EXPECT_TRUE(p.compare(all).passed());
}

TEST(Compare, EmptyRowsMustBeZeroWithLseMinusInfinity) {
  auto odd = [](const SequenceLengths &, int64_t, int64_t i, int64_t) {
    return i % 2 == 1;
  };
  Problem p({1, 1, 1, 4, 8, 4, 4}, FloatType::F32, odd);
  EXPECT_TRUE(p.compare(odd).passed());
  p.lse[2] = -1e30f;
  Comparison result = p.compare(odd);
  ASSERT_EQ(result.mismatches, 1);
  EXPECT_EQ(result.worst->str().substr(0, 12), "lse[0, 0, 2]");
  p.lse[2] = -INFINITY;
  p.output[2 * 4] = 1e-20f;
  EXPECT_EQ(p.compare(odd).mismatches, 1);
}

TEST(Compare, AnExpectedOverflowOfTheTypeIsNoMismatch) {
  auto all = [](const SequenceLengths &, int64_t, int64_t, int64_t) {
    return true;
  };
  Problem p({1, 1, 1, 1, 1, 1, 1}, FloatType::F16, all);
  p.v[0] = 70000.0f;
  p.output[0] = INFINITY;
  EXPECT_TRUE(p.compare(all).passed());
  p.output[0] = 65504.0f;
  EXPECT_FALSE(p.compare(all).passed());
}

TEST(Compare, RowsAreDistinctSeededAndIncludeTheEnds) {
  AttentionShape shape{2, 3, 3, 1000, 1000, 1, 1};
  auto self = [](const SequenceLengths &, int64_t, int64_t i, int64_t j) {
    return i == j;
  };
  Problem p(shape, FloatType::F32, self);
  // A wrong first and last row of each head can never slip through.
  for (int64_t row = 0; row < 6000; row += 1000)
    p.output[row] = p.output[row + 999] = 100;
  for (uint64_t seed : {0, 1, 2}) {
    Comparison result = p.compare(self, {10, seed});
    EXPECT_EQ(result.rows, 60);
    EXPECT_EQ(result.mismatches, 12);
  }
  EXPECT_EQ(p.compare(self, {5000}).rows, 6000);
  EXPECT_EQ(p.compare(self, {1}).rows, 6);
}

TEST(Compare, ThreadsDoNotChangeTheResult) {
  Problem p(windowShape, FloatType::BF16,
            [](const SequenceLengths &, int64_t, int64_t i, int64_t j) {
              return i - j <= 256;
            });
  Comparison one = p.compare(inWindow, {20, 4, 1});
  for (unsigned threads : {2u, 7u}) {
    Comparison many = p.compare(inWindow, {20, 4, threads});
    EXPECT_EQ(many.rows, one.rows);
    EXPECT_EQ(many.mismatches, one.mismatches);
    EXPECT_EQ(many.maxAbsError, one.maxAbsError);
    EXPECT_EQ(many.worst->str(), one.worst->str());
  }
}

TEST(Compare, NoRowsNoMismatches) {
  Problem p(
      {1, 1, 1, 0, 8, 4, 4}, FloatType::F32,
      [](const SequenceLengths &, int64_t, int64_t, int64_t) { return true; });
  Comparison result = p.compare(
      [](const SequenceLengths &, int64_t, int64_t, int64_t) { return true; });
  EXPECT_EQ(result.rows, 0);
  EXPECT_TRUE(result.passed());
}
