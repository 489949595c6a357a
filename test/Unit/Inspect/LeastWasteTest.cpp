//===- LeastWasteTest.cpp - Neighbouring rows, by brute force -------------===//

#include "SparseAttn/Inspect/LeastWaste.h"
#include "FuzzOptions.h"
#include "Mask/RandomMask.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::test;

static uint64_t countByPairs(const Mask &mask, const Lengths &n, int64_t head,
                             int64_t rows) {
  uint64_t pairs = 0;
  for (int64_t first = 0; first < n.nq; first += rows)
    for (int64_t j = 0; j < n.nk; ++j) {
      int64_t end = std::min(first + rows, n.nq);
      bool isSeen = false;
      for (int64_t row = first; row < end; ++row)
        isSeen |= mask.contains(n, head, row + n.firstQuery(), j);
      pairs += isSeen ? end - first : 0;
    }
  return pairs;
}

TEST(LeastWasteTest, IsWhatAnyRowOfAGroupSees) {
  std::mt19937_64 rng(50);
  for (int k = 0, e = fuzzCases(300); k < e; ++k) {
    Mask mask = randomMask(rng, k % 4, /*allowOpaque=*/true);
    Lengths n = randomLengths(rng, 60);
    for (int64_t rows : {1, 4, 7, 64})
      ASSERT_EQ(countPairsOfNeighbours(mask, n, 1, rows),
                countByPairs(mask, n, 1, rows))
          << toString(mask) << " of " << n.nq << " x " << n.nk << ", " << rows;
  }
}

/// 192 keys for 64 rows that see 129 each.
TEST(LeastWasteTest, AWindowCostsItsEdges) {
  Lengths n = {6400, 6400};
  Mask mask = Mask::slidingWindow(64, 64);
  uint64_t inner = uint64_t(98) * 64 * 192, outer = 2 * uint64_t(64) * 128;
  EXPECT_EQ(countPairsOfNeighbours(mask, n, 0, 64), inner + outer);
}
