#include "SparseAttn/Mask/Interval.h"
#include "RandomMask.h"
#include <bitset>
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::test;
using mlir::sparse_attn::test::pick;

namespace {

constexpr int64_t size = 24;
using Bits = std::bitset<size>;

Bits toBits(const IntervalSet &set) {
  Bits bits;
  for (Range range : set.ranges())
    for (int64_t x = range.begin; x < range.end; ++x)
      bits.set(x);
  return bits;
}

IntervalSet randomSet(std::mt19937_64 &rng) {
  llvm::SmallVector<Range> ranges;
  for (int64_t count = pick(rng, 0, 5); count > 0; --count) {
    int64_t begin = pick(rng, 0, size);
    // Empty and reversed ranges too.
    ranges.push_back({begin, pick(rng, 0, size)});
  }
  return IntervalSet::fromRanges(ranges);
}

bool isCanonical(const IntervalSet &set) {
  auto ranges = set.ranges();
  for (size_t k = 0; k < ranges.size(); ++k)
    if (ranges[k].empty() || (k && ranges[k].begin <= ranges[k - 1].end))
      return false;
  return true;
}

TEST(IntervalSet, AdjacentAndOverlappingRangesMerge) {
  IntervalSet set = IntervalSet::fromRanges({{7, 9}, {1, 3}, {3, 5}, {8, 8}});
  EXPECT_EQ(set, IntervalSet::fromRanges({{1, 5}, {7, 9}}));
  EXPECT_EQ(set.ranges().size(), 2u);
  EXPECT_EQ(set.size(), 6);
}

TEST(IntervalSet, EmptyRangesVanish) {
  EXPECT_TRUE(IntervalSet(Range{3, 3}).empty());
  EXPECT_TRUE(IntervalSet(Range{3, 1}).empty());
  EXPECT_TRUE(IntervalSet::fromRanges({{5, 2}, {0, 0}}).empty());
  EXPECT_EQ((Range{5, 2}).size(), 0);
}

TEST(IntervalSet, NothingCoversMoreThanItself) {
  IntervalSet set = IntervalSet::fromRanges({{1, 3}, {4, 6}});
  EXPECT_TRUE(set.covers({1, 3}));
  EXPECT_TRUE(set.covers({9, 9}));
  EXPECT_FALSE(set.covers({1, 5}));
  EXPECT_FALSE(set.covers({0, 2}));
  EXPECT_FALSE(IntervalSet().covers({0, 1}));
  EXPECT_TRUE(IntervalSet().covers({2, 1}));
}

TEST(IntervalSet, AlgebraEqualsBitSetAlgebra) {
  std::mt19937_64 rng(1);
  for (int k = 0; k < 5000; ++k) {
    IntervalSet a = randomSet(rng), b = randomSet(rng);
    Bits x = toBits(a), y = toBits(b);
    Range universe{pick(rng, 0, size), pick(rng, 0, size)};
    Bits all = toBits(universe);
    for (const auto &[set, bits] :
         {std::pair{a.unite(b), x | y}, std::pair{a.intersect(b), x & y},
          std::pair{a.complementIn(universe), all & ~x}}) {
      ASSERT_EQ(toBits(set), bits);
      ASSERT_TRUE(isCanonical(set));
      ASSERT_EQ(set.size(), int64_t(bits.count()));
    }
    for (int64_t j = 0; j < size; ++j)
      ASSERT_EQ(a.covers({j, j + 1}), x.test(j));
    ASSERT_EQ(a.covers(universe), (all & ~x).none());
    ASSERT_EQ(a == b, x == y);
  }
}

} // namespace
