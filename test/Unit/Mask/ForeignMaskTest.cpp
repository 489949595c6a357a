// A mask of another library: it has `contains` and `print`, and must compose
// with everything.

#include "PieceOracle.h"
#include "RandomMask.h"
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::test;

namespace {

/// j divides i, a set that no union of bands is.
class Divisors : public MaskNode {
public:
  bool contains(const Lengths &, int64_t, int64_t i, int64_t j) const override {
    return j != 0 && i % j == 0;
  }
  void print(llvm::raw_ostream &os) const override { os << "divisors"; }
};

Mask divisors() { return Mask(std::make_shared<Divisors>()); }

constexpr Lengths n{30, 40};

uint64_t countByContains(const Mask &mask) {
  uint64_t count = 0;
  for (int64_t i = n.firstQuery(); i < n.nk; ++i)
    for (int64_t j = 0; j < n.nk; ++j)
      count += mask.contains(n, 0, i, j);
  return count;
}

TEST(ForeignMask, IsOneOpaqueLiteral) {
  Mask mask = divisors();
  std::optional<Pieces> pieces = mask.pieces();
  ASSERT_TRUE(pieces && pieces->size() == 1);
  ASSERT_EQ((*pieces)[0].opaque.size(), 1u);
  EXPECT_EQ((*pieces)[0].opaque[0].leaf.get(), &mask.getNode());
  EXPECT_FALSE((*pieces)[0].opaque[0].negated);
  EXPECT_FALSE(mask.isHeadInvariant());
  EXPECT_EQ(mask.getNode().getRandomBlocks(), nullptr);
  EXPECT_EQ(mask.getNode().getRowGranularity(), 1);
}

TEST(ForeignMask, ComposesWithTheAlgebra) {
  const Mask masks[] = {
      divisors(), Mask::complementOf(divisors()),
      Mask::unionOf({divisors(), Mask::slidingWindow(2, 2)}),
      Mask::intersectionOf({Mask::complementOf(divisors()), Mask::causal(),
                            Mask::global({0, 7, -1})})};
  for (const Mask &mask : masks) {
    EXPECT_EQ(countLivePairs(mask, n, 0), countByContains(mask))
        << toString(mask);
    std::optional<Pieces> pieces = mask.pieces();
    ASSERT_TRUE(pieces.has_value());
    for (int64_t i = n.firstQuery(); i < n.nk; ++i)
      for (int64_t j = 0; j < n.nk; ++j) {
        bool expected = mask.contains(n, 0, i, j);
        EXPECT_EQ(holdsLiterally(*pieces, n, 0, i, j), expected);
        EXPECT_EQ(classifyTile(mask, n, 0, {i, i + 1}, {j, j + 1}),
                  expected ? TileState::Full : TileState::Empty);
      }
  }
}

TEST(ForeignMask, TransposesByAsking) {
  Mask transposed = divisors().transpose();
  EXPECT_EQ(toString(transposed), "transpose(divisors)");
  EXPECT_TRUE(transposed.contains(n, 0, 3, 39));
  EXPECT_FALSE(transposed.contains(n, 0, 39, 3));
  EXPECT_EQ(toString(transposed.transpose()), "divisors");
}

TEST(ForeignMask, PrintsInsideCompositions) {
  EXPECT_EQ(toString(Mask::unionOf({divisors(), Mask::causal()})),
            "union(divisors, causal)");
}

} // namespace
