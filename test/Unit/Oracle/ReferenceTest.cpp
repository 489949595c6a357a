//===- ReferenceTest.cpp --------------------------------------------------===//

#include "SparseAttn/Oracle/Reference.h"
#include "SparseAttn/Oracle/Noise.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::support;

namespace {
/// Noise operands of a shape; tests change single elements.
struct Operands {
  explicit Operands(AttentionShape shape, double scale = 0.5)
      : q(shape.batch * shape.queryHeads * shape.queries * shape.headDim),
        k(shape.batch * shape.keyHeads * shape.keys * shape.headDim),
        v(shape.batch * shape.keyHeads * shape.keys * shape.valueDim) {
    fillNormal(q, 1, 0);
    fillNormal(k, 1, 1);
    fillNormal(v, 1, 2);
    inputs = {shape, q.data(), k.data(), v.data(), scale};
  }

  ReferenceRow compute(AllowedFn allowed, int64_t batch = 0, int64_t head = 0,
                       int64_t row = 0, double minWeight = 0) {
    ReferenceRow result;
    computeReferenceRow(inputs, allowed, batch, head, row, result, minWeight);
    return result;
  }

  std::vector<float> q, k, v;
  AttentionInputs inputs;
};
} // namespace

static bool allowAll(const SequenceLengths &, int64_t, int64_t, int64_t) {
  return true;
}
static bool allowNone(const SequenceLengths &, int64_t, int64_t, int64_t) {
  return false;
}

TEST(Reference, TwoKeysByHand) {
  Operands o({1, 1, 1, 1, 2, 1, 1}, 1.0);
  o.q[0] = 1;
  o.k = {0.0f, std::log(3.0f)};
  o.v = {4.0f, 8.0f};
  o.inputs.k = o.k.data();
  o.inputs.v = o.v.data();
  ReferenceRow row = o.compute(allowAll);
  // Weights 1/4 and 3/4.
  EXPECT_NEAR(row.output[0], 7.0, 1e-6);
  EXPECT_NEAR(row.lse, std::log(4.0), 1e-6);
  EXPECT_EQ(row.liveKeys, 2);
  EXPECT_NEAR(row.magnitude[0], 7.0, 1e-6);
  EXPECT_NEAR(row.spread[0], std::hypot(1.0, 6.0), 1e-6);
  EXPECT_NEAR(row.scoreMagnitude, std::log(3.0), 1e-6);
}

TEST(Reference, EqualsTheFormulaEvaluatedNaively) {
  // Odd sizes, grouped heads, more keys than queries, D != Dv.
  AttentionShape shape{2, 4, 2, 3, 7, 11, 5};
  Operands o(shape, 0.3);
  auto allowed = [](const SequenceLengths &, int64_t h, int64_t i, int64_t j) {
    return (i + j + h) % 3 != 0;
  };
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 4; ++h)
      for (int64_t r = 0; r < 3; ++r) {
        double sum = 0;
        std::vector<double> output(5);
        for (int64_t j = 0; j < 7; ++j) {
          if (!allowed({3, 7}, h, r + 4, j))
            continue;
          double score = 0;
          for (int64_t d = 0; d < 11; ++d)
            score += 0.3 * o.q[((b * 4 + h) * 3 + r) * 11 + d] *
                     o.k[((b * 2 + h / 2) * 7 + j) * 11 + d];
          sum += std::exp(score);
          for (int64_t d = 0; d < 5; ++d)
            output[d] +=
                std::exp(score) * o.v[((b * 2 + h / 2) * 7 + j) * 5 + d];
        }
        ReferenceRow row = o.compute(allowed, b, h, r);
        EXPECT_NEAR(row.lse, std::log(sum), 1e-12);
        for (int64_t d = 0; d < 5; ++d)
          EXPECT_NEAR(row.output[d], output[d] / sum, 1e-12);
      }
}

TEST(Reference, ASoftCapBoundsScores) {
  Operands o({1, 1, 1, 1, 3, 1, 1}, 2.0);
  o.q[0] = 1;
  o.k = {0.5f, -3.0f, INFINITY};
  o.v = {1.0f, 2.0f, 3.0f};
  o.inputs.k = o.k.data();
  o.inputs.v = o.v.data();
  o.inputs.softcap = 4.0;
  ReferenceRow row = o.compute(allowAll);
  double scores[] = {4 * std::tanh(0.25), 4 * std::tanh(-1.5), 4};
  double sum = 0, output = 0;
  for (int key = 0; key < 3; ++key) {
    sum += std::exp(scores[key]);
    output += std::exp(scores[key]) * (key + 1);
  }
  EXPECT_NEAR(row.lse, std::log(sum), 1e-12);
  EXPECT_NEAR(row.output[0], output / sum, 1e-12);
  // Where the cap is flat, errors of a score reach nothing.
  EXPECT_NEAR(row.scoreMagnitude,
              6 * (1 - std::pow(std::tanh(1.5), 2)) + 4 * std::tanh(1.5),
              1e-12);
}

TEST(Reference, NaNStaysUnderASoftCap) {
  Operands o({1, 1, 1, 1, 6, 4, 2});
  o.k[3 * 4] = NAN;
  o.inputs.softcap = 4.0;
  EXPECT_TRUE(std::isnan(o.compute(allowAll).lse));
}

TEST(Reference, ASinkIsAKeyWithoutAValue) {
  Operands o({1, 2, 1, 1, 1, 1, 1}, 1.0);
  std::vector<float> q = {1, 1}, k = {std::log(3.0f)}, v = {8.0f};
  std::vector<float> sinks = {0.0f, -INFINITY};
  o.inputs.q = q.data();
  o.inputs.k = k.data();
  o.inputs.v = v.data();
  o.inputs.sinks = sinks.data();
  ReferenceRow row = o.compute(allowAll, /*batch=*/0, /*head=*/0);
  EXPECT_NEAR(row.output[0], 6.0, 1e-6);
  EXPECT_NEAR(row.lse, std::log(4.0), 1e-6);
  row = o.compute(allowAll, /*batch=*/0, /*head=*/1);
  EXPECT_NEAR(row.output[0], 8.0, 1e-6);
  EXPECT_NEAR(row.lse, std::log(3.0), 1e-6);
  row = o.compute(allowNone, /*batch=*/0, /*head=*/0);
  EXPECT_EQ(row.output[0], 0.0);
  EXPECT_EQ(row.lse, 0.0);
  sinks[0] = INFINITY;
  EXPECT_TRUE(std::isnan(o.compute(allowAll).output[0]));
}

TEST(Reference, SequencesHaveLengthsOfTheirOwn) {
  Operands o({2, 1, 1, 3, 4, 2, 2});
  std::vector<int32_t> queries = {2, 9}, keys = {3, -1};
  o.inputs.queryLengths = queries.data();
  o.inputs.keyLengths = keys.data();
  // The last query of the first sequence stands at its last key.
  auto causal = [](const SequenceLengths &n, int64_t, int64_t i, int64_t j) {
    EXPECT_EQ(n.queries, 2);
    EXPECT_EQ(n.keys, 3);
    return j <= i;
  };
  EXPECT_EQ(o.compute(causal, 0, 0, 0).liveKeys, 2);
  EXPECT_EQ(o.compute(causal, 0, 0, 1).liveKeys, 3);
  std::vector<float> sinks = {1.0f};
  o.inputs.sinks = sinks.data();
  ReferenceRow behind = o.compute(causal, 0, 0, 2);
  EXPECT_EQ(behind.output, std::vector<double>(2));
  EXPECT_EQ(behind.lse, -INFINITY);
  ReferenceRow empty = o.compute(allowAll, 1, 0, 2);
  EXPECT_EQ(empty.liveKeys, 0);
  EXPECT_EQ(empty.lse, 1.0);
}

TEST(Reference, ARowWithoutKeysIsZeroWithLseMinusInfinity) {
  Operands o({1, 1, 1, 2, 4, 8, 3});
  ReferenceRow row = o.compute(allowNone, 0, 0, 1);
  EXPECT_EQ(row.output, std::vector<double>(3));
  EXPECT_EQ(row.lse, -INFINITY);
  EXPECT_EQ(row.liveKeys, 0);
}

TEST(Reference, NaNAndInfinityOfMaskedKeysNeverReachTheResult) {
  Operands o({1, 1, 1, 1, 6, 4, 2});
  auto allowed = [](const SequenceLengths &, int64_t, int64_t, int64_t j) {
    return j != 2 && j != 4;
  };
  ReferenceRow clean = o.compute(allowed);
  o.k[2 * 4] = NAN;
  o.k[4 * 4 + 1] = INFINITY;
  o.v[2 * 2] = INFINITY;
  o.v[4 * 2] = NAN;
  ReferenceRow row = o.compute(allowed);
  EXPECT_EQ(row.output, clean.output);
  EXPECT_EQ(row.lse, clean.lse);
  EXPECT_EQ(row.scoreMagnitude, clean.scoreMagnitude);
}

TEST(Reference, NaNInALiveScoreMakesTheRowNaN) {
  // First, middle and last key: a maximum that forgets NaN must not matter.
  for (int64_t key : {0, 3, 5}) {
    Operands o({1, 1, 1, 1, 6, 4, 2});
    o.k[key * 4] = NAN;
    ReferenceRow row = o.compute(allowAll);
    EXPECT_TRUE(std::isnan(row.output[0]) && std::isnan(row.output[1]));
    EXPECT_TRUE(std::isnan(row.lse));
  }
}

TEST(Reference, NaNInAValueReachesItsColumnOnly) {
  Operands o({1, 1, 1, 1, 6, 4, 2});
  o.v[3 * 2 + 1] = NAN;
  ReferenceRow row = o.compute(allowAll);
  EXPECT_TRUE(std::isfinite(row.output[0]) && std::isfinite(row.lse));
  EXPECT_TRUE(std::isnan(row.output[1]));
}

TEST(Reference, LargeScoresDoNotOverflow) {
  Operands o({1, 1, 1, 1, 3, 1, 1}, 1.0);
  for (float sign : {1.0f, -1.0f}) {
    o.q[0] = sign * 1e4f;
    o.k[0] = 3.0f;
    o.k[1] = 3.0f;
    o.k[2] = 3.0f - sign;
    ReferenceRow row = o.compute(allowAll);
    EXPECT_NEAR(row.lse, sign * 3e4 + std::log(2.0), 1e-9);
    EXPECT_NEAR(row.output[0], 0.5 * o.v[0] + 0.5 * o.v[1], 1e-9);
  }
}

TEST(Reference, SmallWeightsCountAsMinWeightInTheSpread) {
  Operands o({1, 1, 1, 1, 2, 1, 1}, 1.0);
  o.q[0] = 1;
  o.k[0] = 0;
  o.k[1] = -100;
  o.v[0] = 0;
  o.v[1] = 2;
  EXPECT_NEAR(o.compute(allowAll, 0, 0, 0, 0.0).spread[0], 0, 1e-40);
  EXPECT_NEAR(o.compute(allowAll, 0, 0, 0, 0.25).spread[0], 0.5, 1e-12);
}
