//===- SizeExprTest.cpp - Formulas and their text -------------------------===//

#include "SparseAttn/Package/Files/SizeExpr.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;

namespace {

using Rng = std::mt19937_64;
using Wide = __int128;
constexpr const char *kNames[] = {"B", "Sq", "arg3_dim0"};

int64_t pick(Rng &rng, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(rng);
}

struct Sizes {
  int64_t values[3];

  std::optional<int64_t> operator()(llvm::StringRef name) const {
    for (int i = 0; i < 3; ++i)
      if (name == kNames[i])
        return values[i];
    return std::nullopt;
  }
};

Sizes randomSizes(Rng &rng) {
  return {{pick(rng, 0, 5), pick(rng, 0, 40), pick(rng, 0, 100)}};
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
    return {SizeExpr::size(kNames[i]), sizes.values[i]};
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

SizeExpr parse(llvm::StringRef text) {
  std::string error;
  std::optional<SizeExpr> expr = SizeExpr::parse(text, error);
  EXPECT_TRUE(expr) << text.str() << ": " << error;
  return expr.value_or(SizeExpr());
}

std::string parseError(llvm::StringRef text) {
  std::string error;
  EXPECT_FALSE(SizeExpr::parse(text, error)) << text.str();
  return error;
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
    std::optional<int64_t> value = sample.expr.evaluate(sizes);
    if (!value)
      continue;
    ++numValues;
    ASSERT_EQ(*value, static_cast<int64_t>(*sample.value)) << sample.expr.str();
  }
  EXPECT_GT(numValues, 2000);
}

TEST(SizeExprTest, PrintedTextParsesToTheSameExpression) {
  Rng rng(22);
  for (int k = 0; k < 5000; ++k) {
    SizeExpr expr = randomSample(rng, randomSizes(rng), 4).expr;
    ASSERT_EQ(parse(expr.str()), expr) << expr.str();
  }
}

TEST(SizeExprTest, NonNegativeNeverLies) {
  Rng rng(23);
  int numSure = 0;
  for (int k = 0; k < 5000; ++k) {
    Sizes sizes = randomSizes(rng);
    SizeExpr expr = randomSample(rng, sizes, 3).expr;
    std::optional<int64_t> value = expr.evaluate(sizes);
    if (!value || !expr.isNonNegative())
      continue;
    numSure += !expr.asConstant();
    ASSERT_GE(*value, 0) << expr.str();
  }
  EXPECT_GT(numSure, 500);
}

TEST(SizeExprTest, ConstantsAndIdentitiesFold) {
  EXPECT_EQ(parse("2 * 3 + 4").str(), "10");
  EXPECT_EQ(parse("1 + Sq + 2").str(), "Sq + 3");
  EXPECT_EQ(parse("max(0, Sq)").str(), "Sq");
  EXPECT_EQ(parse("floordiv(-7, 2)").str(), "-4");
  EXPECT_EQ(parse("select(lt(Sq, 0), 1, B)").str(), "B");
  EXPECT_EQ(parse("(B + 1) * 0").str(), "0");
  EXPECT_EQ(parse("B - (Sq - B) - 5").str(), "B - (Sq - B) - 5");
}

TEST(SizeExprTest, WhatDoesNotFitHasNoValue) {
  auto evaluate = [](llvm::StringRef text) {
    return parse(text).evaluate([](llvm::StringRef name) {
      return name == "S" ? std::optional<int64_t>(int64_t(1) << 40)
                         : std::nullopt;
    });
  };
  EXPECT_EQ(evaluate("S * S"), std::nullopt);
  EXPECT_EQ(evaluate("S + 9223372036854775807"), std::nullopt);
  EXPECT_EQ(evaluate("0 - S - 9223372036854775807"), std::nullopt);
  EXPECT_EQ(evaluate("9223372036854775807 * 2"), std::nullopt);
  EXPECT_EQ(evaluate("floordiv(S, S - S)"), std::nullopt);
  EXPECT_EQ(evaluate("floordiv(S, 0 - S)"), std::nullopt);
  EXPECT_EQ(evaluate("T"), std::nullopt);
  EXPECT_EQ(evaluate("S * 8388607"), (int64_t(1) << 40) * 8388607);
}

TEST(SizeExprTest, TheLeastIntegerIsPrintedAndParsed) {
  SizeExpr least = SizeExpr::constant(INT64_MIN);
  for (SizeExpr expr :
       {least, SizeExpr::size("B") + least, SizeExpr::size("B") - least,
        SizeExpr::size("B") * least})
    EXPECT_EQ(parse(expr.str()), expr) << expr.str();
  std::string text;
  llvm::raw_string_ostream os(text);
  (SizeExpr::size("B") * least - SizeExpr::constant(3)).printC(os, "n->", "f_");
  EXPECT_EQ(text, "n->B * INT64_MIN - INT64_C(3)");
}

TEST(SizeExprTest, MalformedTextIsRefused) {
  EXPECT_EQ(parseError(""), "expected an operand at the end");
  EXPECT_EQ(parseError("Sq +"), "expected an operand at the end");
  EXPECT_EQ(parseError("Sq Sk"), "expected an operator, got 'Sk'");
  EXPECT_EQ(parseError("(Sq"), "expected ')'");
  EXPECT_EQ(parseError("min(Sq, 1"), "expected ')'");
  EXPECT_EQ(parseError("/ 2"), "expected an operand, got '/ 2'");
  EXPECT_EQ(parseError("min(Sq)"), "no function 'min' of 1 operands");
  EXPECT_EQ(parseError("pow(Sq, 2)"), "no function 'pow' of 2 operands");
  EXPECT_EQ(parseError("9223372036854775808"),
            "'9223372036854775808' is no 64-bit integer");
  EXPECT_EQ(parseError("-Sq"), "'-' is no 64-bit integer");
}

TEST(SizeExprTest, EndlessTextIsRefused) {
  EXPECT_EQ(parseError(std::string(100000, '(')), "nests deeper than 256");
  std::string sum = "S";
  for (int k = 0; k < 100000; ++k)
    sum += "+S";
  EXPECT_EQ(parseError(sum), "has more than 4096 operands");
}

} // namespace
