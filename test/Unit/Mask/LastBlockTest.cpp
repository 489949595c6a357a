//===- LastBlockTest.cpp - The last block at any length -------------------===//

#include "SparseAttn/Mask/Mask.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {

/// b * floor((N - 1) / b), by counting blocks.
int64_t lastBlockBegin(int64_t n, int64_t block) {
  int64_t begin = 0;
  while (begin + block < n)
    begin += block;
  return begin;
}

TEST(LastBlockTest, EqualsGlobalLastOfTheRaggedSizeAtEveryLength) {
  for (auto direction :
       {Mask::Direction::Both, Mask::Direction::Rows, Mask::Direction::Columns})
    for (int64_t block : {1, 4, 7, 16}) {
      Mask mask = Mask::lastBlock(block, direction);
      for (int64_t n = 1; n <= 40; ++n) {
        Mask expected =
            Mask::global({}, 0, n - lastBlockBegin(n, block), direction);
        for (int64_t nq : {n, n / 2 + 1, n + 5}) {
          Lengths lengths{nq, n};
          EXPECT_EQ(countLivePairs(mask, lengths, 0),
                    countLivePairs(expected, lengths, 0));
          for (int64_t i = n - nq; i < n; ++i)
            EXPECT_EQ(mask.liveKeys(lengths, 0, i, {0, n}),
                      expected.liveKeys(lengths, 0, i, {0, n}))
                << "block " << block << ", N " << n << ", i " << i;
        }
      }
    }
}

TEST(LastBlockTest, TransposeSwapsRowsAndColumns) {
  Mask rows = Mask::lastBlock(8, Mask::Direction::Rows).transpose();
  Mask columns = Mask::lastBlock(8, Mask::Direction::Columns);
  Lengths lengths{30, 30};
  for (int64_t i = 0; i < 30; ++i)
    EXPECT_EQ(rows.liveKeys(lengths, 0, i, {0, 30}),
              columns.liveKeys(lengths, 0, i, {0, 30}));
}

TEST(LastBlockTest, PiecesStayWithinTheLastBlockOfPositions) {
  auto pieces = Mask::lastBlock(8, Mask::Direction::Columns).pieces();
  ASSERT_TRUE(pieces);
  ASSERT_EQ(pieces->size(), 1u);
  ASSERT_EQ(pieces->front().lower.size(), 1u);
  EXPECT_EQ(pieces->front().lower.front(), Bound::fromEnd(-8));
  EXPECT_EQ(pieces->front().opaque.size(), 1u);
}

} // namespace
