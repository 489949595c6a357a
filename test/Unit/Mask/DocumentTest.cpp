//===- DocumentTest.cpp - Masks that read documents -----------------------===//

#include "SparseAttn/Mask/Mask.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

namespace {

constexpr int32_t kIds[] = {3, 3, -1, 3, 0, 0, -7, 2147483647};
constexpr int64_t kKeys = std::size(kIds);

TEST(DocumentTest, PairsOfOneDocumentMayAttend) {
  SequenceData data{kIds};
  // A row before the first key, and a key past the last, have no document.
  Lengths n{kKeys + 3, kKeys, &data};
  for (int64_t i = -3; i < kKeys; ++i)
    for (int64_t j = 0; j < kKeys + 2; ++j) {
      bool isOne = i >= 0 && j < kKeys && kIds[i] >= 0 && kIds[i] == kIds[j];
      EXPECT_EQ(Mask::document().contains(n, 0, i, j), isOne) << i << ", " << j;
      EXPECT_EQ(Mask::document().transpose().contains(n, 0, j, i), isOne);
    }
}

TEST(DocumentTest, NoTileIsToldWithoutData) {
  EXPECT_EQ(classifyTile(Mask::document(), {8, 8}, 0, {2, 4}, {0, 4}),
            TileState::Partial);
  SequenceData data{kIds};
  Lengths n{kKeys, kKeys, &data};
  EXPECT_EQ(classifyTile(Mask::document(), n, 0, {0, 2}, {0, 2}),
            TileState::Full);
  EXPECT_EQ(classifyTile(Mask::document(), n, 0, {0, 2}, {4, 8}),
            TileState::Empty);
  EXPECT_EQ(classifyTile(Mask::document(), n, 0, {0, 2}, {0, 4}),
            TileState::Partial);
}

TEST(DocumentTest, CompositionsTellWhetherTheyReadData) {
  Mask document = Mask::document();
  for (const Mask &mask :
       {document, document.transpose(), Mask::complementOf(document),
        Mask::unionOf({Mask::causal(), document}),
        Mask::intersectionOf({document, Mask::causal()})}) {
    EXPECT_TRUE(mask.readsData());
    EXPECT_FALSE(mask.withData(OneDocument).readsData());
    EXPECT_FALSE(mask.withData(0).readsData());
  }
  EXPECT_FALSE(Mask::unionOf({Mask::causal(), Mask::strided(3)}).readsData());
}

TEST(DocumentTest, WithAllPairsOfOneDocumentOrWithNone) {
  Mask mask =
      Mask::unionOf({Mask::intersectionOf({Mask::document(), Mask::causal()}),
                     Mask::intersectionOf({Mask::complementOf(Mask::document()),
                                           Mask::strided(3)})});
  Lengths n{9, 9};
  for (int64_t i = 0; i < 9; ++i)
    for (int64_t j = 0; j < 9; ++j) {
      EXPECT_EQ(mask.withData(OneDocument).contains(n, 0, i, j), j <= i);
      EXPECT_EQ(mask.withData(0).contains(n, 0, i, j), (i - j) % 3 == 0);
    }
}

TEST(DocumentTest, PiecesAskForDocumentsOnce) {
  Mask twice = Mask::intersectionOf(
      {Mask::document(), Mask::causal(), Mask::document()});
  std::optional<Pieces> pieces = twice.pieces();
  ASSERT_TRUE(pieces);
  ASSERT_EQ(pieces->size(), 1u);
  EXPECT_EQ(pieces->front().getDataFacts(), OneDocument);
  EXPECT_TRUE(pieces->front().isBandOfDocuments());
  EXPECT_FALSE(pieces->front().isBand());
  EXPECT_EQ(pieces->front().opaque.size(), 1u);
  std::optional<Pieces> outside = Mask::complementOf(Mask::document()).pieces();
  ASSERT_TRUE(outside);
  EXPECT_EQ(outside->front().getDataFacts(), 0u);
}

} // namespace
