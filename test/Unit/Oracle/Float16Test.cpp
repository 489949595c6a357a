//===- Float16Test.cpp ----------------------------------------------------===//

#include "SparseAttn/Oracle/Float16.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/SmallVector.h"
#include "gtest/gtest.h"
#include <cmath>
#include <vector>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using llvm::APFloat;

/// The bits of `value` in `semantics`, by LLVM's own software floats.
static uint16_t convertExactly(float value, const llvm::fltSemantics &type) {
  APFloat number(value);
  bool losesInfo;
  number.convert(type, APFloat::rmNearestTiesToEven, &losesInfo);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

static float convertExactly(uint16_t bits, const llvm::fltSemantics &type) {
  APFloat number(type, llvm::APInt(16, bits));
  bool losesInfo;
  number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToFloat();
}

TEST(Float16, EveryHalfBecomesItsFloatAndBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    uint16_t half = static_cast<uint16_t>(bits);
    float value = halfToFloat(half);
    float expected = convertExactly(half, APFloat::IEEEhalf());
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(value)))) << bits;
      continue;
    }
    EXPECT_EQ(value, expected) << bits;
    EXPECT_EQ(std::signbit(value), std::signbit(expected)) << bits;
    EXPECT_EQ(floatToHalf(value), half) << bits;
  }
}

TEST(Float16, EveryBfloatBecomesItsFloatAndBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    uint16_t bfloat = static_cast<uint16_t>(bits);
    float value = bfloatToFloat(bfloat);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(bfloatToFloat(floatToBfloat(value)))) << bits;
      continue;
    }
    EXPECT_EQ(value, convertExactly(bfloat, APFloat::BFloat())) << bits;
    EXPECT_EQ(floatToBfloat(value), bfloat) << bits;
  }
}

/// Floats at, just below and just above every number of the type and every
/// midpoint between two of them, all powers of two among them.
static std::vector<float> makeBorders(float (*toFloat)(uint16_t),
                                      uint16_t infinity) {
  std::vector<float> result;
  for (uint32_t bits = 0; bits < infinity; ++bits) {
    double low = toFloat(static_cast<uint16_t>(bits));
    double high = toFloat(static_cast<uint16_t>(bits + 1));
    // Past the largest number the type would go on in equal steps.
    if (std::isinf(high))
      high = 2 * low - toFloat(static_cast<uint16_t>(bits - 1));
    for (double centre : {low, (low + high) / 2}) {
      float value = static_cast<float>(centre);
      for (float f : {std::nextafterf(value, -INFINITY), value,
                      std::nextafterf(value, INFINITY)}) {
        result.push_back(f);
        result.push_back(-f);
      }
    }
  }
  return result;
}

TEST(Float16, HalfRoundsToNearestEvenAtEveryBorder) {
  for (float value :
       makeBorders([](uint16_t bits) { return halfToFloat(bits); }, 0x7c00))
    ASSERT_EQ(floatToHalf(value), convertExactly(value, APFloat::IEEEhalf()))
        << value;
}

TEST(Float16, BfloatRoundsToNearestEvenAtEveryBorder) {
  for (float value :
       makeBorders([](uint16_t bits) { return bfloatToFloat(bits); }, 0x7f80))
    ASSERT_EQ(floatToBfloat(value), convertExactly(value, APFloat::BFloat()))
        << value;
}

TEST(Float16, LargeValuesAndInfinityBecomeInfinite) {
  EXPECT_EQ(floatToHalf(65519.0f), 0x7bff);
  EXPECT_EQ(floatToHalf(65520.0f), 0x7c00);
  EXPECT_EQ(floatToHalf(-1e30f), 0xfc00);
  EXPECT_EQ(floatToHalf(INFINITY), 0x7c00);
  EXPECT_EQ(floatToBfloat(3.4e38f), 0x7f80);
  EXPECT_EQ(floatToBfloat(-INFINITY), 0xff80);
}

TEST(Float16, NaNSurvivesWhateverItsFraction) {
  for (uint32_t bits : {0x7f800001u, 0x7fffffffu, 0xff800001u, 0xffffffffu}) {
    float nan = llvm::bit_cast<float>(bits);
    EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(nan))));
    EXPECT_TRUE(std::isnan(bfloatToFloat(floatToBfloat(nan))));
  }
}

TEST(Float16, BulkConversionsAgreeWithSingleOnes) {
  std::vector<float> values(1003), back(1003);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = std::ldexp(static_cast<float>(i) - 500.3f,
                           static_cast<int>(i % 40) - 30);
  std::vector<uint16_t> bits(values.size());
  floatToHalf(values, bits);
  halfToFloat(bits, back);
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(back[i], halfToFloat(floatToHalf(values[i])));
  floatToBfloat(values, bits);
  bfloatToFloat(bits, back);
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(back[i], bfloatToFloat(floatToBfloat(values[i])));
}
