//===- TileExprTest.cpp ---------------------------------------------------===//

#include "SparseAttn/Plan/TileExpr.h"
#include "FuzzOptions.h"
#include "RandomPlans.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::test;

namespace {

using Kind = TileExpr::Kind;
using Rng = std::mt19937_64;

TileExpr q() { return TileExpr::queryTile(); }
TileExpr nq() { return TileExpr::numQueries(); }
TileExpr nk() { return TileExpr::numKeys(); }
TileExpr num(int64_t x) { return TileExpr::constant(x); }

TileExpr parse(llvm::StringRef text) {
  std::string error;
  std::optional<TileExpr> result = TileExpr::parse(text, error);
  EXPECT_TRUE(result.has_value()) << text.str() << ": " << error;
  return result.value_or(num(-12345));
}

std::string errorOf(llvm::StringRef text) {
  std::string error;
  EXPECT_FALSE(TileExpr::parse(text, error).has_value()) << text.str();
  return error;
}

TEST(TileExprTest, FactoriesFold) {
  EXPECT_EQ((q() + 0).str(), "q");
  EXPECT_EQ((q() - q()).str(), "0");
  EXPECT_EQ((q() * 0).str(), "0");
  EXPECT_EQ((q() * 1).str(), "q");
  EXPECT_EQ((q() * 2 + q() * 3 + 4 + 5).str(), "q * 5 + 9");
  EXPECT_EQ((nk() - nq() + q() * 48).str(), "q * 48 + nk - nq");
  EXPECT_EQ(TileExpr::min(num(3), num(2)).str(), "2");
  EXPECT_EQ(TileExpr::max(q(), q()).str(), "q");
  EXPECT_EQ(TileExpr::max(q(), q() + 1).str(), "q + 1");
  EXPECT_EQ(TileExpr::max(TileExpr::max(q(), num(0)), num(1)).str(),
            "max(1, q)");
  EXPECT_EQ(TileExpr::max(q(), TileExpr::min(q(), nk())).str(), "q");
  EXPECT_EQ((TileExpr::max(q(), num(0)) * 2 + 1).str(), "max(1, q * 2 + 1)");
  EXPECT_EQ((TileExpr::max(q(), num(0)) * -1).str(), "min(0, q * -1)");
  EXPECT_EQ((q() * 6).floorDiv(3).str(), "q * 2");
  EXPECT_EQ((q() * 6 + 5).floorDiv(9).str(), "(q * 2 + 1) floordiv 3");
  EXPECT_EQ(nk().floorDiv(4).floorDiv(8).str(), "nk floordiv 32");
  EXPECT_EQ((nk().floorDiv(4) + 1).floorDiv(8).str(), "(nk + 4) floordiv 32");
  EXPECT_EQ(TileExpr::max(num(-5), nk()).floorDiv(4).str(),
            "max(-2, nk floordiv 4)");
  EXPECT_EQ(nk().ceilDiv(64).str(), "(nk + 63) floordiv 64");
}

TEST(TileExprTest, PrintsAsDocumented) {
  TileExpr e =
      TileExpr::max(num(0), (q() * 48 + nk() - nq() - 256).floorDiv(128));
  EXPECT_EQ(e.str(), "max(0, (q * 48 + nk - nq - 256) floordiv 128)");
  EXPECT_EQ(parse(e.str()), e);
  EXPECT_EQ((num(5) - q()).str(), "q * -1 + 5");
  EXPECT_EQ((nq().floorDiv(2) * 3 - q() * 2).str(),
            "nq floordiv 2 * 3 - q * 2");
  EXPECT_EQ(parse("nq floordiv 2 * 3 - q * 2"), nq().floorDiv(2) * 3 - q() * 2);
}

TEST(TileExprTest, EvaluatesWithFloorDivision) {
  Lengths n{7, 5};
  EXPECT_EQ(parse("(q - 7) floordiv 4").evaluate(0, n), -2);
  EXPECT_EQ(parse("nk - nq").evaluate(0, n), -2);
  EXPECT_EQ(parse("max(q * 3, min(nk, nq), 2)").evaluate(1, n), 5);
  EXPECT_EQ(parse("-q * 3 - -2").evaluate(2, n), -4);
}

TEST(TileExprTest, ParserNamesTheProblem) {
  EXPECT_EQ(errorOf(""), "unexpected end of expression");
  EXPECT_EQ(errorOf("q +"), "unexpected end of expression");
  EXPECT_EQ(errorOf("q q"), "unexpected 'q'");
  EXPECT_EQ(errorOf("nqk"), "unexpected 'nqk'");
  EXPECT_EQ(errorOf("(q"), "expected ')'");
  EXPECT_EQ(errorOf("max q"), "expected '(' after min or max");
  EXPECT_EQ(errorOf("max(q)"), "expected ',' in min or max");
  EXPECT_EQ(errorOf("q * nk"), "one factor of a product must be constant");
  EXPECT_EQ(errorOf("q floordiv 0"), "a divisor must be a positive constant");
  EXPECT_EQ(errorOf("q floordiv nk"), "a divisor must be a positive constant");
  EXPECT_EQ(errorOf("99999999999999999999"),
            "the integer '99999999999999999999' is too large");
  EXPECT_EQ(errorOf(std::string(500, '(')), "the expression nests too deep");
  EXPECT_EQ(errorOf(std::string(500, '-') + "q"),
            "the expression nests too deep");
  std::string many = "q";
  for (int k = 0; k < 5000; ++k)
    many += " + q";
  EXPECT_EQ(errorOf(many), "the expression is too long");
}

TEST(TileExprTest, ProvesWhatPlansNeed) {
  LengthFacts facts;
  facts.rowsPerTile = 48;
  TileExpr last = q() * 48 + nk() - nq();
  EXPECT_TRUE(
      TileExpr::provablyLE((last + 1).floorDiv(64), nk().floorDiv(64), facts));
  EXPECT_FALSE(
      TileExpr::provablyLE((last + 2).floorDiv(64), nk().floorDiv(64), facts));
  EXPECT_TRUE(TileExpr::provablyLE(nk().floorDiv(64), nk().ceilDiv(64), facts));
  EXPECT_TRUE(TileExpr::provablyLE(num(1), nk().ceilDiv(64), facts));
  EXPECT_FALSE(TileExpr::provablyLE(num(1), nk().floorDiv(64), facts));
  EXPECT_EQ(TileExpr::min(nk().ceilDiv(64), (last + 48).ceilDiv(64))
                .simplify(facts)
                .str(),
            "min((nk + 63) floordiv 64, (q * 48 + nk - nq + 111) floordiv 64)");
  facts.nq = facts.nk = 4096;
  EXPECT_EQ(
      TileExpr::max(num(0), (last + 1).floorDiv(64)).simplify(facts).str(),
      "q * 3 floordiv 4");
}

TEST(TileExprTest, UsesWhatIsAssumedOfLengths) {
  LengthFacts facts;
  facts.rowsPerTile = 64;
  auto simplify = [&](const TileExpr &expr) {
    return expr.simplify(facts).str();
  };
  TileExpr last = q() * 64 + nk() - nq() + 63;
  facts.assumed = {/*offsetMultiple=*/64, /*keysMultiple=*/1};
  EXPECT_EQ(simplify(last.floorDiv(64)), "q + (nk - nq) floordiv 64");
  EXPECT_EQ(simplify(nk().ceilDiv(64)), "(nk + 63) floordiv 64");
  facts.assumed = {64, 64};
  EXPECT_EQ(simplify(nk().ceilDiv(64)), "nk floordiv 64");
  EXPECT_EQ(simplify(nq().ceilDiv(32)), "nq floordiv 32");
  EXPECT_TRUE(TileExpr::provablyLE(num(1), nk().floorDiv(64), facts));
  EXPECT_TRUE(TileExpr::provablyLE(nk(), nk().floorDiv(64) * 64, facts));
  // The last row of a tile that exists is a row.
  EXPECT_TRUE(TileExpr::provablyLE(q() * 64 + 64, nq(), facts));
  EXPECT_FALSE(TileExpr::provablyLE(q() * 64 + 65, nq(), facts));
  facts.assumed = {/*offsetMultiple=*/0, 64};
  EXPECT_EQ(simplify(last.floorDiv(64)), "q");
  EXPECT_EQ(simplify(nk() - nq()), "0");
  EXPECT_TRUE(nk().isProvablyMultiple(32, facts));
  EXPECT_FALSE(nk().isProvablyMultiple(128, facts));
  EXPECT_TRUE((q() * 64 + nq() * 3).isProvablyMultiple(64, facts));
  LengthFacts one;
  one.nk = 128;
  EXPECT_EQ(one.assuming({0, 1}).nq, 128);
}

/// A random expression of at most `depth` levels.
TileExpr randomExpr(Rng &rng, unsigned depth) {
  auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng);
  };
  if (depth == 0) {
    switch (pick(0, 3)) {
    case 0:
      return num(pick(-9, 9));
    case 1:
      return q();
    case 2:
      return nq();
    default:
      return nk();
    }
  }
  TileExpr a = randomExpr(rng, depth - 1);
  switch (pick(0, 5)) {
  case 0:
    return a + randomExpr(rng, depth - 1);
  case 1:
    return a - randomExpr(rng, depth - 1);
  case 2:
    return a * pick(-4, 6);
  case 3:
    return a.floorDiv(pick(1, 7));
  case 4:
    return TileExpr::min(a, randomExpr(rng, depth - 1));
  default:
    return TileExpr::max(a, randomExpr(rng, depth - 1));
  }
}

/// Random facts, and a point that satisfies them.
struct Point {
  LengthFacts facts;
  int64_t q;
  Lengths n;
};

Point randomPoint(Rng &rng) {
  auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(rng);
  };
  Point p;
  p.n = {pick(1, 40), pick(1, 40)};
  p.q = pick(0, 12);
  if (pick(0, 1)) {
    p.facts.rowsPerTile = pick(1, 5);
    p.q = pick(0, (p.n.nq - 1) / *p.facts.rowsPerTile);
  }
  if (pick(0, 2) == 0)
    p.facts.nq = p.n.nq;
  if (pick(0, 2) == 0)
    p.facts.nk = p.n.nk;
  if (pick(0, 2) == 0)
    p.facts.lastTile = p.q + pick(0, 2);
  p.facts = p.facts.assuming(plan_test::randomAssumption(rng, p.n));
  return p;
}

TEST(TileExprTest, PrintedTextParsesToTheSameExpression) {
  Rng rng(11);
  for (int k = 0, e = fuzzCases(2000); k < e; ++k) {
    TileExpr expr = randomExpr(rng, 4);
    ASSERT_EQ(parse(expr.str()), expr) << expr.str();
  }
}

TEST(TileExprTest, SimplifyPreservesTheValue) {
  Rng rng(12);
  for (int k = 0, e = fuzzCases(2000); k < e; ++k) {
    TileExpr expr = randomExpr(rng, 4);
    Point p = randomPoint(rng);
    TileExpr simple = expr.simplify(p.facts);
    ASSERT_EQ(simple.evaluate(p.q, p.n), expr.evaluate(p.q, p.n))
        << expr.str() << " became " << simple.str() << " at q=" << p.q
        << " nq=" << p.n.nq << " nk=" << p.n.nk;
  }
}

TEST(TileExprTest, FactoriesPreserveTheValue) {
  Rng rng(13);
  for (int k = 0, e = fuzzCases(2000); k < e; ++k) {
    TileExpr a = randomExpr(rng, 3), b = randomExpr(rng, 3);
    Point p = randomPoint(rng);
    int64_t x = a.evaluate(p.q, p.n), y = b.evaluate(p.q, p.n);
    ASSERT_EQ((a + b).evaluate(p.q, p.n), x + y);
    ASSERT_EQ((a - b).evaluate(p.q, p.n), x - y);
    ASSERT_EQ((a * -3).evaluate(p.q, p.n), x * -3);
    ASSERT_EQ(TileExpr::min(a, b).evaluate(p.q, p.n), std::min(x, y));
    ASSERT_EQ(TileExpr::max(a, b).evaluate(p.q, p.n), std::max(x, y));
    int64_t quotient = a.floorDiv(5).evaluate(p.q, p.n);
    ASSERT_TRUE(quotient * 5 <= x && x < quotient * 5 + 5) << a.str();
  }
}

TEST(TileExprTest, ProvablyLENeverLies) {
  Rng rng(14);
  int proven = 0, cases = fuzzCases(2000);
  for (int k = 0; k < cases; ++k) {
    TileExpr a = randomExpr(rng, 3), b = randomExpr(rng, 3);
    Point p = randomPoint(rng);
    if (!TileExpr::provablyLE(a, b, p.facts))
      continue;
    ++proven;
    ASSERT_LE(a.evaluate(p.q, p.n), b.evaluate(p.q, p.n))
        << a.str() << " <= " << b.str() << " at q=" << p.q << " nq=" << p.n.nq
        << " nk=" << p.n.nk;
  }
  EXPECT_GT(proven, cases / 40);
}

} // namespace
