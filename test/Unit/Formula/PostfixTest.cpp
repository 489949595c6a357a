//===- PostfixTest.cpp - Parsing and evaluating formulas ------------------===//

#include "SparseAttn/Formula/Postfix.h"
#include "gtest/gtest.h"
#include <random>

using namespace sparse_attn::formula;
using Fault = Value::Fault;

namespace {

const std::vector<std::string> kSizes = {"B", "Sq"};

/// The value, or what there is in place of one.
std::string evaluate(const std::string &text, int64_t b = 3, int64_t sq = 100) {
  ParseError error;
  std::optional<Postfix> formula = Postfix::parse(text, kSizes, error);
  if (!formula)
    return std::to_string(error.offset) + ": " + error.message;
  int64_t sizes[] = {b, sq};
  Value value = formula->evaluate(sizes);
  if (value.fault == Fault::Overflow)
    return "overflow";
  return (value ? "" : "divides by ") + std::to_string(value.value);
}

TEST(PostfixTest, FollowsPrecedence) {
  EXPECT_EQ(evaluate("1 + 2 * 3 - 4"), "3");
  EXPECT_EQ(evaluate("(1 + 2) * (3 - 4)"), "-3");
  EXPECT_EQ(evaluate("10 - 3 - 2"), "5");
  EXPECT_EQ(evaluate("B*Sq+-5"), "295");
  EXPECT_EQ(evaluate(" ( B ) "), "3");
}

TEST(PostfixTest, HasTheFunctionsOfTheFormat) {
  EXPECT_EQ(evaluate("floordiv(Sq + 63, 64)"), "2");
  EXPECT_EQ(evaluate("floordiv(0 - 1, 64)"), "-1");
  EXPECT_EQ(evaluate("floordiv(0 - 64, 64)"), "-1");
  EXPECT_EQ(evaluate("min(B, Sq) + max(B, Sq)"), "103");
  EXPECT_EQ(evaluate("lt(B, Sq) * 10 + lt(B, B)"), "10");
  EXPECT_EQ(evaluate("eq(B, 3) * 10 + eq(B, 4)"), "10");
  EXPECT_EQ(evaluate("select(lt(B, 4), 7, Sq)"), "7");
  EXPECT_EQ(evaluate("select(lt(4, B), 7, Sq)"), "100");
}

TEST(PostfixTest, ReachesBothEndsOf64Bits) {
  EXPECT_EQ(evaluate("9223372036854775807"), std::to_string(INT64_MAX));
  EXPECT_EQ(evaluate("-9223372036854775808"), std::to_string(INT64_MIN));
  EXPECT_EQ(evaluate("Sq * 2", 0, INT64_MAX / 2),
            std::to_string(INT64_MAX - 1));
}

TEST(PostfixTest, NeverWraps) {
  for (const char *text : {"Sq * 2", "Sq + 1", "0 - Sq - 2",
                           "floordiv(0 - Sq - 1, 1) - 1", "(Sq + 1) * 0"})
    EXPECT_EQ(evaluate(text, 0, INT64_MAX), "overflow") << text;
  EXPECT_EQ(evaluate("floordiv(Sq, B)", 0), "divides by 0");
  EXPECT_EQ(evaluate("select(0, floordiv(Sq, 0 - 7), 1)"), "divides by -7");
}

TEST(PostfixTest, RefusesOtherTextAndSaysWhere) {
  EXPECT_EQ(evaluate(""), "0: expected a size, a number or '('");
  EXPECT_EQ(evaluate("1 +"), "3: expected a size, a number or '('");
  EXPECT_EQ(evaluate("1 2"), "2: expected an operator");
  EXPECT_EQ(evaluate("(1"), "2: expected ')'");
  EXPECT_EQ(evaluate("- B"), "2: expected digits");
  EXPECT_EQ(evaluate("Sk"), "2: unknown size 'Sk'");
  EXPECT_EQ(evaluate("div(1, 2)"), "4: unknown function 'div'");
  EXPECT_EQ(evaluate("min(1)"), "5: expected ','");
  EXPECT_EQ(evaluate("min(1, 2, 3)"), "8: expected ')'");
  EXPECT_EQ(evaluate("9223372036854775808"), "18: an integer beyond 64 bits");
}

TEST(PostfixTest, LimitsNestingAndLength) {
  auto nested = [](int depth) {
    return std::string(depth, '(') + "1" + std::string(depth, ')');
  };
  EXPECT_EQ(evaluate(nested(kMaxDepth)), "256: nests deeper than 256");
  EXPECT_EQ(evaluate(nested(kMaxDepth - 1)), "1");
  EXPECT_EQ(evaluate(std::string(1000000, '(')), "256: nests deeper than 256");
  std::string sum = "1";
  for (uint64_t i = 0; i < kMaxLength / 2 - 1; ++i)
    sum += "+1";
  EXPECT_EQ(evaluate(sum), "2048");
  EXPECT_EQ(evaluate(sum + "+1"),
            "4097: more than 4096 operators and operands");
}

TEST(PostfixTest, HoldsAllOperandsThatCanWait) {
  std::string text = "1";
  for (int i = 0; i < 255; ++i)
    text = "select(1, 0, 1 + 0 * " + text + ")";
  EXPECT_EQ(evaluate(text), "0");
}

//===----------------------------------------------------------------------===//
// Against arithmetic that cannot overflow
//===----------------------------------------------------------------------===//

using Rng = std::mt19937_64;
using Wide = __int128;

int64_t pick(Rng &rng, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(rng);
}

/// Text with its value at sizes; none where a part does not fit.
struct Sample {
  std::string text;
  std::optional<int64_t> value;
};

/// Small numbers and those near both ends.
int64_t pickValue(Rng &rng) {
  int64_t value = pick(rng, -9, 40);
  switch (pick(rng, 0, 5)) {
  case 0:
    return INT64_MAX - std::abs(value);
  case 1:
    return INT64_MIN + std::abs(value);
  case 2:
    return value * (int64_t(1) << pick(rng, 0, 40));
  default:
    return value;
  }
}

std::optional<int64_t> narrow(Wide value) {
  if (value > INT64_MAX || value < INT64_MIN)
    return std::nullopt;
  return static_cast<int64_t>(value);
}

std::optional<int64_t> exact(const Function *function, char infix, Wide a,
                             Wide b, Wide c) {
  if (!function)
    return narrow(infix == '+' ? a + b : infix == '-' ? a - b : a * b);
  std::string_view name = function->name;
  if (name == "floordiv")
    return b < 1 ? std::nullopt : narrow((a - ((a % b) + b) % b) / b);
  if (name == "min" || name == "max")
    return narrow((a < b) == (name == "min") ? a : b);
  if (name == "lt" || name == "eq")
    return name == "lt" ? a < b : a == b;
  return narrow(a != 0 ? b : c);
}

Sample randomSample(Rng &rng, const int64_t *sizes, int depth) {
  if (depth == 0) {
    int64_t size = pick(rng, 0, 3);
    if (size < 2)
      return {kSizes[size], sizes[size]};
    int64_t value = pickValue(rng);
    return {std::to_string(value), value};
  }
  auto operand = [&] {
    return randomSample(rng, sizes, pick(rng, 0, depth - 1));
  };
  Sample a = randomSample(rng, sizes, depth - 1), b = operand(), c{"", 0};
  char infix = "+-*"[pick(rng, 0, 2)];
  const Function *function =
      pick(rng, 0, 1) ? &kFunctions[pick(rng, 0, 5)] : nullptr;
  Sample result;
  if (function) {
    result.text = std::string(function->name) + "(" + a.text + "," + b.text;
    if (function->operands == 3) {
      c = operand();
      result.text += " , " + c.text;
    }
    result.text += ")";
  } else {
    result.text = "(" + a.text + ")" + infix + " (" + b.text + ")";
  }
  if (a.value && b.value && c.value)
    result.value = exact(function, infix, *a.value, *b.value, *c.value);
  return result;
}

TEST(PostfixTest, ValuesAreThoseOfExactArithmetic) {
  Rng rng(31);
  int numValues = 0, numFaults = 0;
  for (int k = 0; k < 20000; ++k) {
    int64_t sizes[] = {std::abs(pickValue(rng) / 2), pick(rng, 0, 100)};
    Sample sample = randomSample(rng, sizes, pick(rng, 0, 5));
    ParseError error;
    std::optional<Postfix> formula = Postfix::parse(sample.text, kSizes, error);
    ASSERT_TRUE(formula) << sample.text << ": " << error.message;
    Value value = formula->evaluate(sizes);
    ASSERT_EQ(bool(value), sample.value.has_value()) << sample.text;
    if (value)
      ASSERT_EQ(value.value, *sample.value) << sample.text;
    (value ? numValues : numFaults) += 1;
  }
  EXPECT_GT(numValues, 5000);
  EXPECT_GT(numFaults, 1000);
}

TEST(PostfixTest, AnyTextIsParsedOrRefused) {
  Rng rng(32);
  constexpr std::string_view pieces[] = {
      "(",      ")",         ",",  "+", "-",    "*",
      "7",      "B",         "Sq", " ", "min(", "9223372036854775808",
      "select", "floordiv(", "\0", "/"};
  int numParsed = 0;
  for (int k = 0; k < 20000; ++k) {
    std::string text;
    for (int64_t n = pick(rng, 0, 9); n > 0; --n)
      text += pieces[pick(rng, 0, std::size(pieces) - 1)];
    ParseError error;
    if (Postfix::parse(text, kSizes, error))
      ++numParsed;
    else
      ASSERT_LE(error.offset, text.size()) << text;
  }
  EXPECT_GT(numParsed, 200);
}

} // namespace
