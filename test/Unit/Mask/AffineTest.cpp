// Translation to Presburger sets.

#include "SparseAttn/Mask/Affine.h"
#include "RandomMask.h"
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using mlir::presburger::IntegerPolyhedron;
using mlir::presburger::PresburgerSet;

namespace {

bool containsPoint(const PresburgerSet &set, int64_t i, int64_t j, int64_t nq,
                   int64_t nk) {
  return set.containsPoint(llvm::ArrayRef<int64_t>{i, j, nq, nk});
}

TEST(Affine, SpaceIsQueryKeyAndBothLengths) {
  std::optional<PresburgerSet> set = toPresburger(Mask::causal());
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->getNumDomainVars(), 0u);
  EXPECT_EQ(set->getNumRangeVars(), 2u);
  EXPECT_EQ(set->getNumSymbolVars(), 2u);
}

TEST(Affine, CausalEqualsItsInequality) {
  Piece causal;
  causal.upper.push_back(Bound::diagonal(1));
  std::optional<IntegerPolyhedron> set = toPolyhedron(causal);
  ASSERT_TRUE(set.has_value());
  // i - j >= 0.
  ASSERT_EQ(set->getNumInequalities(), 1u);
  EXPECT_EQ(set->getInequality64(0),
            (llvm::SmallVector<int64_t, 8>{1, -1, 0, 0, 0}));
}

TEST(Affine, FloorDivisionsAndResiduesHoldAtNegativePositions) {
  const Mask masks[] = {
      Mask::chunked(4), Mask::strided(3), Mask::slidingWindow(1, 0, 1, 5),
      Mask::slidingWindow(2, 2, 3), Mask::periodicColumns(5, 2).transpose()};
  Lengths n{30, 11};
  for (const Mask &mask : masks) {
    std::optional<PresburgerSet> set = toPresburger(mask);
    ASSERT_TRUE(set.has_value());
    for (int64_t i = n.firstQuery(); i < n.nk; ++i)
      for (int64_t j = 0; j < n.nk; ++j)
        ASSERT_EQ(containsPoint(*set, i, j, n.nq, n.nk),
                  mask.contains(n, 0, i, j))
            << test::toString(mask) << " i=" << i << " j=" << j;
  }
}

TEST(Affine, EqualMasksAreProvablyEqualAtAllLengths) {
  Mask a =
      Mask::unionOf({Mask::causal(), Mask::slidingWindow(0, std::nullopt)});
  EXPECT_TRUE(toPresburger(a)->isEqual(*toPresburger(Mask::full())));
  Mask b = Mask::intersectionOf({Mask::causal(), Mask::chunked(8)});
  EXPECT_TRUE(toPresburger(b)
                  ->subtract(*toPresburger(Mask::causal()))
                  .isIntegerEmpty());
  EXPECT_FALSE(toPresburger(Mask::causal())
                   ->subtract(*toPresburger(b))
                   .isIntegerEmpty());
}

TEST(Affine, EmptyMaskIsTheEmptySet) {
  EXPECT_TRUE(toPresburger(Mask::unionOf({}))->isIntegerEmpty());
}

TEST(Affine, DrawsHaveNoSet) {
  EXPECT_FALSE(toPresburger(Mask::random({})).has_value());
  Piece piece;
  piece.opaque.push_back({Mask::random({}).getShared(), false});
  EXPECT_FALSE(toPolyhedron(piece).has_value());
}

} // namespace
