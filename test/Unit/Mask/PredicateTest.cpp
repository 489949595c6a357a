// Predicates say what `contains` says, and ask as little as they should.

#include "SparseAttn/Mask/Predicate.h"
#include "FuzzOptions.h"
#include "PieceOracle.h"
#include "RandomMask.h"
#include "llvm/ADT/STLExtras.h"
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::test;

namespace {

bool holds(const Predicate &predicate, const Lengths &n, int64_t head,
           int64_t i, int64_t j) {
  auto inside = [&](const Predicate &operand) {
    return holds(operand, n, head, i, j);
  };
  switch (predicate.kind) {
  case Predicate::Kind::Union:
    return holdsLiterally(predicate.pieces, n, head, i, j);
  case Predicate::Kind::All:
    return llvm::all_of(predicate.operands, inside);
  case Predicate::Kind::Any:
    return llvm::any_of(predicate.operands, inside);
  }
  return false;
}

unsigned costOf(const Mask &mask) { return makePredicate(mask).cost(); }

TEST(Predicate, EqualsContainsForRandomMasks) {
  for (int seed = 0, cases = fuzzCases(5000); seed < cases; ++seed) {
    std::mt19937_64 rng(seed);
    Mask mask = randomMask(rng, seed % 5, /*allowOpaque=*/seed % 2);
    Lengths n = randomLengths(rng, 30);
    Predicate predicate = makePredicate(mask);
    Predicate existing = amongKeys(predicate);
    int64_t head = pick(rng, 0, 3);
    for (int64_t i = n.firstQuery(); i < n.nk; ++i)
      for (int64_t j = 0; j < n.nk + 8; ++j) {
        bool expected = j < n.nk && mask.contains(n, head, i, j);
        ASSERT_EQ(holds(existing, n, head, i, j), expected)
            << toString(mask) << " at " << i << ", " << j << " of " << n.nq
            << " x " << n.nk << ", seed " << seed;
        if (j < n.nk)
          ASSERT_EQ(holds(predicate, n, head, i, j), expected) << seed;
      }
  }
}

TEST(Predicate, IsNeverDearerThanItsMembers) {
  for (int seed = 0, cases = fuzzCases(5000); seed < cases; ++seed) {
    std::mt19937_64 rng(~seed);
    std::vector<Mask> members;
    for (int64_t count = pick(rng, 1, 4); count > 0; --count)
      members.push_back(randomMask(rng, seed % 3, /*allowOpaque=*/true));
    unsigned cost = members.size() - 1;
    for (const Mask &member : members)
      cost += costOf(member);
    EXPECT_LE(costOf(Mask::intersectionOf(members)), cost) << seed;
  }
}

TEST(Predicate, OneBoundIsOneComparison) {
  EXPECT_EQ(costOf(Mask::causal()), 1u);
  EXPECT_EQ(costOf(Mask::slidingWindow(8, std::nullopt)), 1u);
  EXPECT_EQ(costOf(Mask::complementOf(Mask::causal())), 1u);
}

TEST(Predicate, AWindowIsASubtractionAndAComparison) {
  EXPECT_EQ(costOf(Mask::slidingWindow(8, 8)), 2u);
  EXPECT_EQ(costOf(Mask::chunked(16)), 2u);
}

TEST(Predicate, BoundsOfOneSideAreOneComparisonTogether) {
  EXPECT_EQ(costOf(Mask::unionOf({Mask::causal(), Mask::prefix(10)})), 1u);
  EXPECT_EQ(costOf(Mask::intersectionOf({Mask::causal(), Mask::prefix(10)})),
            1u);
}

TEST(Predicate, GlobalRowsCostNothingBesideAWindow) {
  Mask rows = Mask::global({0, 7}, 0, 0, Mask::Direction::Rows);
  Mask both = Mask::unionOf({rows, Mask::slidingWindow(8, 8)});
  EXPECT_EQ(costOf(both), 2u);
  EXPECT_EQ(amongKeys(makePredicate(both)).cost(), 2u);
}

TEST(Predicate, AllGlobalColumnsAreOneDisjunction) {
  Mask columns = Mask::global({3, 7, 9}, 0, 0, Mask::Direction::Columns);
  EXPECT_EQ(costOf(Mask::unionOf({columns, Mask::slidingWindow(8, 8)})), 3u);
}

TEST(Predicate, KeysPastTheEndCostNothingWhereABoundEndsBefore) {
  EXPECT_EQ(amongKeys(makePredicate(Mask::causal())).pieces[0].upper.size(),
            1u);
  Predicate window = amongKeys(makePredicate(Mask::slidingWindow(8, 8)));
  EXPECT_EQ(window.pieces[0].upper.size(), 2u);
  EXPECT_EQ(window.cost(), 2u);
}

/// Nine pieces in common would each be asked for by itself.
TEST(Predicate, UnionsThatIntersectStayUnions) {
  Mask some = Mask::unionOf({Mask::periodicColumns(7, 2), Mask::strided(5),
                             Mask::periodicColumns(9, 3)});
  Mask others = Mask::unionOf({Mask::strided(3), Mask::slidingWindow(4, 4),
                               Mask::slidingWindow(90, 90, 30)});
  Predicate both = makePredicate(Mask::intersectionOf({some, others}));
  EXPECT_EQ(both.kind, Predicate::Kind::All);
  EXPECT_EQ(both.operands.size(), 2u);
}

} // namespace
