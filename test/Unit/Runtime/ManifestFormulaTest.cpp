//===- ManifestFormulaTest.cpp - Errors of the formulas of a manifest -----===//

#include "../../../lib/Runtime/ManifestFormula.h"
#include "../../../lib/Runtime/Error.h"
#include "gtest/gtest.h"

using namespace sparse_attn::runtime;

static int64_t evaluate(const std::string &text, int64_t b, int64_t sq) {
  return Formula::parse(text, {"B", "Sq"}).evaluate({b, sq});
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

TEST(Formula, HasAValueOfItsSizes) {
  EXPECT_EQ(evaluate("B * floordiv(Sq, 3) - 1", 3, 100), 98);
  EXPECT_EQ(Formula::constant(-7).evaluate({}), -7);
  EXPECT_EQ(Formula::constant(-7).str(), "-7");
}

TEST(Formula, NamesTheFormulaWhoseValueDoesNotFit) {
  EXPECT_EQ(getError([] { evaluate("Sq * 2", 0, INT64_MAX); }),
            "TOO_LARGE: 'Sq * 2' does not fit 64 bits for these sizes; give "
            "smaller tensors");
  EXPECT_EQ(getError([] { evaluate("floordiv(Sq, B)", 0, 1); }),
            "WRONG_SHAPE: 'floordiv(Sq, B)' divides by 0 for these sizes; give "
            "sizes above 0");
}

TEST(Formula, HoldsNotWhereItDividesByZero) {
  Formula divides = Formula::parse("eq(floordiv(Sq, B) * B, Sq)", {"B", "Sq"});
  EXPECT_TRUE(divides.holds({4, 8}));
  EXPECT_FALSE(divides.holds({4, 9}));
  EXPECT_FALSE(divides.holds({0, 8}));
  EXPECT_EQ(
      getError([] { Formula::parse("Sq * 2", {"Sq"}).holds({INT64_MAX}); }),
      "TOO_LARGE: 'Sq * 2' does not fit 64 bits for these sizes; give "
      "smaller tensors");
}

TEST(Formula, SaysWhereTheTextIsWrong) {
  EXPECT_EQ(getError([] { evaluate("B + Sk", 1, 1); }),
            "CORRUPT_PACKAGE: the formula 'B + Sk' has at byte 6: unknown size "
            "'Sk'");
}
