// Tiles and row ranges at lengths no table could hold.

#include "RandomMask.h"
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::test;

namespace {

constexpr int64_t million = 1 << 20;
constexpr Lengths square{million, million};

Mask longformer() {
  return Mask::unionOf({Mask::slidingWindow(256, 256), Mask::global({0})});
}

Range blockAt(int64_t k) { return {k * 128, (k + 1) * 128}; }

TEST(ClassifyTile, TilesBeyondTheSequenceAreEmpty) {
  Lengths n{10, 10};
  EXPECT_EQ(classifyTile(Mask::full(), n, 0, {10, 20}, {0, 10}),
            TileState::Empty);
  EXPECT_EQ(classifyTile(Mask::full(), n, 0, {0, 10}, {10, 20}),
            TileState::Empty);
  EXPECT_EQ(classifyTile(Mask::full(), n, 0, {5, 5}, {0, 10}),
            TileState::Empty);
  EXPECT_EQ(classifyTile(Mask::full(), n, 0, {-7, 0}, {0, 10}),
            TileState::Empty);
}

TEST(ClassifyTile, RaggedTilesAreJudgedByWhatExists) {
  Lengths n{100, 100};
  EXPECT_EQ(classifyTile(Mask::full(), n, 0, {64, 128}, {64, 128}),
            TileState::Full);
  // Keys 64 to 99 of row 99: only the last is not before the query.
  EXPECT_EQ(classifyTile(Mask::causal(), n, 0, {99, 128}, {64, 128}),
            TileState::Full);
}

TEST(ClassifyTile, LongformerAtAMillion) {
  Mask mask = longformer();
  EXPECT_EQ(classifyTile(mask, square, 0, blockAt(4000), blockAt(4000)),
            TileState::Full);
  EXPECT_EQ(classifyTile(mask, square, 0, blockAt(4000), blockAt(4002)),
            TileState::Partial);
  EXPECT_EQ(classifyTile(mask, square, 0, blockAt(4000), blockAt(4003)),
            TileState::Empty);
  EXPECT_EQ(classifyTile(mask, square, 0, blockAt(4000), blockAt(0)),
            TileState::Partial);
  EXPECT_EQ(classifyTile(mask, square, 0, {0, 1}, {0, million}),
            TileState::Full);
}

TEST(ClassifyTile, TwoPartialMembersMayFillATile) {
  Mask mask =
      Mask::unionOf({Mask::causal(), Mask::slidingWindow(0, std::nullopt)});
  EXPECT_EQ(classifyTile(mask, square, 0, blockAt(5), blockAt(5)),
            TileState::Full);
  Mask none = Mask::intersectionOf(
      {Mask::slidingWindow(std::nullopt, -1), Mask::slidingWindow(0, 100)});
  EXPECT_EQ(classifyTile(none, square, 0, blockAt(5), blockAt(5)),
            TileState::Empty);
}

TEST(ClassifyTile, WholeMaskOfAMillionIsQuick) {
  Range all{0, million};
  EXPECT_EQ(classifyTile(longformer(), square, 0, all, all),
            TileState::Partial);
  EXPECT_EQ(classifyTile(Mask::full(), square, 0, all, all), TileState::Full);
  EXPECT_EQ(classifyTile(Mask::strided(7), square, 0, all, all),
            TileState::Partial);
}

TEST(LiveKeysOfRows, WindowWidensByTheRows) {
  IntervalSet live = liveKeysOfRows(longformer(), square, 0, blockAt(4000));
  EXPECT_EQ(live, IntervalSet::fromRanges(
                      {{0, 1}, {4000 * 128 - 256, 4001 * 128 + 256}}));
}

TEST(LiveKeysOfRows, GapsBetweenBlocksStay) {
  // Each chunk of 64 sees its own last 16 keys.
  Mask mask =
      Mask::intersectionOf({Mask::chunked(64), Mask::periodicColumns(64, 16)});
  EXPECT_EQ(liveKeysOfRows(mask, square, 0, {64, 192}),
            IntervalSet::fromRanges({{112, 128}, {176, 192}}));
  // The same as bounds: floor(i / 64) * 64 + 48 <= j <= i.
  Mask late = Mask::intersectionOf(
      {Mask::causal(), Mask::chunked(64),
       Mask::complementOf(Mask::slidingWindow(47, std::nullopt))});
  EXPECT_EQ(liveKeysOfRows(late, square, 0, {64, 192}),
            IntervalSet::fromRanges({{64, 80}, {128, 144}}));
}

TEST(LiveKeysOfRows, AllRowsOfAMillionAreQuick) {
  Range all{0, million};
  EXPECT_EQ(liveKeysOfRows(longformer(), square, 0, all), IntervalSet(all));
  EXPECT_EQ(liveKeysOfRows(Mask::strided(64), square, 0, all),
            IntervalSet(all));
  EXPECT_EQ(liveKeysOfRows(Mask::prefix(9), square, 0, all),
            IntervalSet(Range{0, 9}));
}

} // namespace
