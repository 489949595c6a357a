//===- ListedTest.cpp - Masks that read lists of global tokens ------------===//

#include "SparseAttn/Mask/Mask.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {

using Direction = Mask::Direction;

constexpr int32_t kTokens[] = {5, -1, 2, 5, 8, 9, -2147483647};
constexpr int64_t kKeys = 9;

bool isGlobal(int64_t x) { return x == 2 || x == 5 || x == 8; }

TEST(ListedTest, RowsAndColumnsOfListedTokens) {
  SequenceData data{{}, 0, kTokens};
  // A row before the first key, and a key past the last, are never listed.
  Lengths n{kKeys + 3, kKeys, &data};
  Mask rows = Mask::listed(Direction::Rows),
       columns = Mask::listed(Direction::Columns);
  for (int64_t i = -3; i < kKeys; ++i)
    for (int64_t j = 0; j < kKeys + 2; ++j) {
      EXPECT_EQ(rows.contains(n, 0, i, j), isGlobal(i)) << i << ", " << j;
      EXPECT_EQ(columns.contains(n, 0, i, j), isGlobal(j)) << i << ", " << j;
      EXPECT_EQ(Mask::listed().contains(n, 0, i, j),
                isGlobal(i) || isGlobal(j));
      EXPECT_EQ(rows.transpose().contains(n, 0, j, i), isGlobal(i));
    }
}

TEST(ListedTest, LiveKeysAreThoseOfTheList) {
  SequenceData data{{}, 0, kTokens};
  Lengths n{kKeys, kKeys, &data};
  for (const Mask &mask :
       {Mask::listed(Direction::Rows), Mask::listed(Direction::Columns),
        Mask::complementOf(Mask::listed()),
        Mask::intersectionOf({Mask::listed(), Mask::causal()})})
    for (int64_t i = 0; i < kKeys; ++i) {
      IntervalSet live = mask.liveKeys(n, 0, i, {1, kKeys});
      for (int64_t j = 1; j < kKeys; ++j)
        EXPECT_EQ(live.covers({j, j + 1}), mask.contains(n, 0, i, j));
    }
}

TEST(ListedTest, NoTokenIsListedAndNoTileToldWithoutData) {
  Lengths n{8, 8};
  EXPECT_FALSE(Mask::listed().contains(n, 0, 2, 2));
  EXPECT_EQ(countLivePairs(Mask::listed(), n, 0), 0u);
  EXPECT_EQ(classifyTile(Mask::listed(Direction::Rows), n, 0, {2, 4}, {0, 4}),
            TileState::Partial);
  SequenceData data{{}, 0, kTokens};
  n.data = &data;
  EXPECT_EQ(classifyTile(Mask::listed(), n, 0, {5, 6}, {0, 4}),
            TileState::Full);
  EXPECT_EQ(classifyTile(Mask::listed(), n, 0, {3, 5}, {3, 5}),
            TileState::Empty);
  EXPECT_EQ(countLivePairs(Mask::listed(), n, 0), 2u * 8 + 6 * 2);
}

TEST(ListedTest, FactsAreThoseOfThePair) {
  Mask mask = Mask::unionOf(
      {Mask::intersectionOf({Mask::listed(Direction::Rows), Mask::causal()}),
       Mask::complementOf(Mask::listed(Direction::Columns))});
  EXPECT_EQ(mask.getDataFacts(), unsigned(ListedRow | ListedKey));
  Mask turned = Mask::listed(Direction::Rows).transpose();
  EXPECT_EQ(turned.getDataFacts(), unsigned(ListedKey));
  Lengths n{9, 9};
  for (unsigned facts : {0u, unsigned(ListedRow), unsigned(ListedKey),
                         unsigned(ListedRow | ListedKey)}) {
    Mask known = mask.withData(facts);
    EXPECT_FALSE(known.readsData());
    for (int64_t i = 0; i < 9; ++i)
      for (int64_t j = 0; j < 9; ++j)
        EXPECT_EQ(known.contains(n, 0, i, j),
                  ((facts & ListedRow) && j <= i) || !(facts & ListedKey));
  }
}

TEST(ListedTest, PiecesAskForListedTokensOnce) {
  Mask mask =
      Mask::intersectionOf({Mask::listed(Direction::Rows), Mask::causal(),
                            Mask::listed(Direction::Rows)});
  std::optional<Pieces> pieces = mask.pieces();
  ASSERT_TRUE(pieces);
  ASSERT_EQ(pieces->size(), 1u);
  EXPECT_EQ(pieces->front().getDataFacts(), unsigned(ListedRow));
  EXPECT_EQ(pieces->front().opaque.size(), 1u);
  std::optional<Pieces> both = Mask::listed().pieces();
  ASSERT_TRUE(both);
  EXPECT_EQ(both->size(), 2u);
}

} // namespace
