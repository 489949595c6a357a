//===- SizeExprTest.cpp - Making and printing formulas --------------------===//

#include "SparseAttn/Formula/SizeExpr.h"
#include "Evaluate.h"
#include "gtest/gtest.h"
#include <random>

using namespace sparse_attn::formula;

namespace {

using Rng = std::mt19937_64;
using Wide = __int128;
constexpr const char *kNames[] = {"B", "Sq", "arg3_dim0"};

int64_t pick(Rng &rng, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(rng);
}

using Sizes = std::map<std::string, int64_t>;

std::optional<int64_t> evaluate(const SizeExpr &expr, const Sizes &sizes) {
  return formula_test::evaluate(expr.str(), sizes);
}

Sizes randomSizes(Rng &rng) {
  return {{kNames[0], pick(rng, 0, 5)},
          {kNames[1], pick(rng, 0, 40)},
          {kNames[2], pick(rng, 0, 100)}};
}

/// An expression, and its value by arithmetic that cannot overflow. No value
/// where a division is by less than 1.
struct Sample {
  SizeExpr expr;
  std::optional<Wide> value;
};

Sample randomLeaf(Rng &rng, const Sizes &sizes) {
  if (pick(rng, 0, 1)) {
    int i = pick(rng, 0, 2);
    return {SizeExpr::size(kNames[i]), sizes.at(kNames[i])};
  }
  int64_t constant = pick(rng, -4, 20);
  return {SizeExpr::constant(constant), constant};
}

std::optional<Wide> floorDivide(Wide a, Wide b) {
  if (b < 1)
    return std::nullopt;
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

Sample randomSample(Rng &rng, const Sizes &sizes, int depth) {
  if (depth == 0)
    return randomLeaf(rng, sizes);
  Sample a = randomSample(rng, sizes, depth - 1);
  Sample b = randomSample(rng, sizes, pick(rng, 0, depth - 1));
  Sample c = randomSample(rng, sizes, pick(rng, 0, depth - 1));
  bool both = a.value && b.value;
  auto value = [&](std::optional<Wide> result) {
    return both ? result : std::nullopt;
  };
  Wide x = a.value.value_or(0), y = b.value.value_or(0);
  switch (pick(rng, 0, 8)) {
  case 0:
    return {a.expr + b.expr, value(x + y)};
  case 1:
    return {a.expr - b.expr, value(x - y)};
  case 2:
    return {a.expr * b.expr, value(x * y)};
  case 3:
    return {SizeExpr::floorDiv(a.expr, b.expr), value(floorDivide(x, y))};
  case 4:
    return {SizeExpr::min(a.expr, b.expr), value(std::min(x, y))};
  case 5:
    return {SizeExpr::max(a.expr, b.expr), value(std::max(x, y))};
  case 6:
    return {SizeExpr::less(a.expr, b.expr), value(x < y)};
  case 7:
    return {SizeExpr::equal(a.expr, b.expr), value(x == y)};
  default:
    return {SizeExpr::select(a.expr, b.expr, c.expr),
            both && c.value ? std::optional<Wide>(x != 0 ? y : *c.value)
                            : std::nullopt};
  }
}

TEST(SizeExprTest, ValuesAreThoseOfExactArithmetic) {
  Rng rng(21);
  int numValues = 0;
  for (int k = 0; k < 5000; ++k) {
    Sizes sizes = randomSizes(rng);
    Sample sample = randomSample(rng, sizes, 4);
    if (!sample.value || *sample.value > INT64_MAX || *sample.value < INT64_MIN)
      continue;
    // Something inside may still be too large, or folded away.
    std::optional<int64_t> value = evaluate(sample.expr, sizes);
    if (!value)
      continue;
    ++numValues;
    ASSERT_EQ(*value, static_cast<int64_t>(*sample.value)) << sample.expr.str();
  }
  EXPECT_GT(numValues, 2000);
}

TEST(SizeExprTest, NonNegativeNeverLies) {
  Rng rng(23);
  int numSure = 0;
  for (int k = 0; k < 5000; ++k) {
    Sizes sizes = randomSizes(rng);
    SizeExpr expr = randomSample(rng, sizes, 3).expr;
    std::optional<int64_t> value = evaluate(expr, sizes);
    if (!value || !expr.isNonNegative())
      continue;
    numSure += !expr.asConstant();
    ASSERT_GE(*value, 0) << expr.str();
  }
  EXPECT_GT(numSure, 500);
}

TEST(SizeExprTest, ConstantsAndIdentitiesFold) {
  SizeExpr sq = SizeExpr::size("Sq"), b = SizeExpr::size("B");
  auto number = SizeExpr::constant;
  EXPECT_EQ((number(2) * number(3) + number(4)).str(), "10");
  EXPECT_EQ((number(1) + sq + number(2)).str(), "Sq + 3");
  EXPECT_EQ((sq - number(2)).str(), "Sq - 2");
  EXPECT_EQ(SizeExpr::max(number(0), sq).str(), "Sq");
  EXPECT_EQ(SizeExpr::floorDiv(number(-7), number(2)).str(), "-4");
  EXPECT_EQ(SizeExpr::select(SizeExpr::less(sq, number(0)), number(1), b).str(),
            "B");
  EXPECT_EQ(((b + number(1)) * number(0)).str(), "0");
}

TEST(SizeExprTest, ParenthesesKeepTheOrder) {
  SizeExpr sq = SizeExpr::size("Sq"), b = SizeExpr::size("B");
  EXPECT_EQ((b - (sq - b) - SizeExpr::constant(5)).str(), "B - (Sq - B) - 5");
  EXPECT_EQ((b * (sq * b)).str(), "B * (Sq * B)");
  EXPECT_EQ(((b + sq) * b).str(), "(B + Sq) * B");
  EXPECT_EQ((SizeExpr::equal(b, sq) - SizeExpr::floorDiv(sq, b)).str(),
            "eq(B, Sq) - floordiv(Sq, B)");
}

TEST(SizeExprTest, WhatWouldNotFitIsNotFolded) {
  auto number = SizeExpr::constant;
  EXPECT_EQ((number(INT64_MAX) * number(2)).str(), "9223372036854775807 * 2");
  EXPECT_EQ((SizeExpr::size("B") + number(INT64_MAX) + number(1)).str(),
            "B + 9223372036854775807 + 1");
  EXPECT_EQ(SizeExpr::floorDiv(number(1), number(0)).str(), "floordiv(1, 0)");
}

TEST(SizeExprTest, LengthCountsOperatorsAndOperandsAndSaturates) {
  SizeExpr b = SizeExpr::size("B");
  EXPECT_EQ((b * b + SizeExpr::constant(1)).getLength(), 5u);
  SizeExpr square = b;
  for (int k = 0; k < 70; ++k)
    square = square * square;
  EXPECT_EQ(square.getLength(), UINT64_MAX);
}

TEST(SizeExprTest, TheLeastIntegerIsPrintedAndParsed) {
  SizeExpr b = SizeExpr::size("B"), least = SizeExpr::constant(INT64_MIN);
  EXPECT_EQ(evaluate(least, {}), INT64_MIN);
  EXPECT_EQ(evaluate(b + least, {{"B", 5}}), INT64_MIN + 5);
  EXPECT_EQ(evaluate(b - least, {{"B", 0}}), std::nullopt);
  EXPECT_EQ(evaluate(b * least, {{"B", 1}}), INT64_MIN);
}

TEST(SizeExprTest, PrintsExpressionsOfC) {
  SizeExpr b = SizeExpr::size("B"), least = SizeExpr::constant(INT64_MIN);
  EXPECT_EQ((b * least - SizeExpr::constant(3)).strAsC("n->", "f_"),
            "n->B * INT64_MIN - INT64_C(3)");
  EXPECT_EQ(SizeExpr::less(b, SizeExpr::constant(2)).strAsC("n->", "f_"),
            "f_lt(n->B, INT64_C(2))");
  std::string functions = printCFunctions("f_");
  for (const Function &function : kFunctions)
    EXPECT_NE(functions.find("int64_t f_" + std::string(function.name) + "("),
              std::string::npos);
}

} // namespace
