//===- FormulaTest.cpp - Formulas of a manifest ---------------------------===//

#include "../../../lib/Runtime/Formula.h"
#include "../../../lib/Runtime/Error.h"
#include "gtest/gtest.h"

using namespace sparse_attn::runtime;

static const std::vector<std::string> kSizes = {"B", "Sq"};

static int64_t evaluate(const std::string &text, int64_t b = 3,
                        int64_t sq = 100) {
  return Formula::parse(text, kSizes).evaluate({b, sq});
}

/// The error's message, and its code in front.
template <typename Body> static std::string getError(Body body) {
  try {
    body();
  } catch (const Error &error) {
    return std::string(sparseAttnGetStatusName(error.status)) + ": " +
           error.message;
  }
  return "no error";
}

TEST(Formula, FollowsPrecedence) {
  EXPECT_EQ(evaluate("1 + 2 * 3 - 4"), 3);
  EXPECT_EQ(evaluate("(1 + 2) * (3 - 4)"), -3);
  EXPECT_EQ(evaluate("10 - 3 - 2"), 5);
  EXPECT_EQ(evaluate("B*Sq+-5"), 295);
  EXPECT_EQ(evaluate(" ( B ) "), 3);
}

TEST(Formula, HasTheFunctionsOfTheFormat) {
  EXPECT_EQ(evaluate("floordiv(Sq + 63, 64)"), 2);
  EXPECT_EQ(evaluate("floordiv(0 - 1, 64)"), -1);
  EXPECT_EQ(evaluate("floordiv(0 - 64, 64)"), -1);
  EXPECT_EQ(evaluate("min(B, Sq) + max(B, Sq)"), 103);
  EXPECT_EQ(evaluate("lt(B, Sq) * 10 + lt(B, B)"), 10);
  EXPECT_EQ(evaluate("eq(B, 3) * 10 + eq(B, 4)"), 10);
  EXPECT_EQ(evaluate("select(lt(B, 4), 7, Sq)"), 7);
  EXPECT_EQ(evaluate("select(lt(4, B), 7, Sq)"), 100);
}

TEST(Formula, ReachesBothEndsOf64Bits) {
  EXPECT_EQ(evaluate("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(evaluate("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(evaluate("Sq * 2", 0, INT64_MAX / 2), INT64_MAX - 1);
}

TEST(Formula, NeverWraps) {
  for (const char *text : {"Sq * 2", "Sq + 1", "0 - Sq - 2"})
    EXPECT_EQ(getError([&] { evaluate(text, 0, INT64_MAX); }),
              "TOO_LARGE: '" + std::string(text) +
                  "' does not fit 64 bits for these sizes; give smaller "
                  "tensors");
  EXPECT_EQ(getError([] { evaluate("floordiv(Sq, B)", 0); }),
            "WRONG_SHAPE: 'floordiv(Sq, B)' divides by 0 for these sizes; give "
            "sizes above 0");
}

TEST(Formula, RefusesOtherText) {
  const std::pair<const char *, const char *> cases[] = {
      {"", "has at byte 0: expected a size, a number or '('"},
      {"1 +", "has at byte 3: expected a size, a number or '('"},
      {"1 2", "has at byte 2: expected an operator"},
      {"(1", "has at byte 2: expected ')'"},
      {"- B", "has at byte 2: expected digits"},
      {"Sk", "has at byte 2: unknown size 'Sk'"},
      {"div(1, 2)", "has at byte 4: unknown function 'div'"},
      {"min(1)", "has at byte 5: expected ','"},
      {"min(1, 2, 3)", "has at byte 8: expected ')'"},
      {"9223372036854775808", "has at byte 18: an integer beyond 64 bits"}};
  for (auto [text, message] : cases)
    EXPECT_EQ(getError([text = text] { evaluate(text); }),
              "CORRUPT_PACKAGE: the formula '" + std::string(text) + "' " +
                  message);
}

TEST(Formula, LimitsNestingAndLength) {
  std::string deep = std::string(300, '(') + "1" + std::string(300, ')');
  EXPECT_NE(getError([&] { evaluate(deep); }).find("nests deeper than 256"),
            std::string::npos);
  std::string allowed = std::string(200, '(') + "1" + std::string(200, ')');
  EXPECT_EQ(evaluate(allowed), 1);
  std::string many = "1";
  for (int i = 0; i < 5000; ++i)
    many += " + 1";
  EXPECT_NE(getError([&] { evaluate(many); }).find("more than 8192 operations"),
            std::string::npos);
}

TEST(Formula, HoldsAllOperandsThatCanWait) {
  std::string text = "1";
  for (int i = 0; i < 255; ++i)
    text = "select(1, 0, 1 + 0 * " + text + ")";
  EXPECT_EQ(evaluate(text), 0);
}
