//===- PlanTest.cpp - Plans of the known patterns -------------------------===//

#include "PlanOracle.h"
#include "SparseAttn/Plan/ChooseTile.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::plan_test;

namespace {

std::string planOf(const Mask &mask, TileShape tile, LengthFacts facts) {
  return textOf(makePlan(mask, tile, facts));
}

TEST(PlanTest, CausalIsFullThenPartial) {
  EXPECT_EQ(planOf(Mask::causal(), {48, 64}, known(4096, 4096)), R"(tile 48 x 64
rows 0 to 4096
  full 0 to q * 3 floordiv 4
  partial q * 3 floordiv 4 to min(64, (q * 3 + 6) floordiv 4)
)");
  EXPECT_EQ(planOf(Mask::causal(), {48, 64}, {}), R"(tile 48 x 64
rows 0 to nq
  full 0 to max(0, (q * 48 + nk - nq + 1) floordiv 64)
  partial max(0, (q * 48 + nk - nq + 1) floordiv 64) to min((nk + 63) floordiv 64, (q * 48 + nk - nq + 111) floordiv 64)
)");
}

TEST(PlanTest, SlidingWindowIsPartialFullPartial) {
  Mask mask = Mask::slidingWindow(256, 256);
  EXPECT_EQ(planOf(mask, {48, 64}, known(4096, 4096)), R"(tile 48 x 64
rows 0 to 4096
  partial max(0, (q * 3 - 16) floordiv 4) to max(0, (q * 3 - 10) floordiv 4) where j >= i - 256
  full max(0, (q * 3 - 10) floordiv 4) to min(64, (q * 3 + 16) floordiv 4)
  partial min(64, (q * 3 + 16) floordiv 4) to min(64, (q * 3 + 22) floordiv 4) where j < i + 257
)");
  EXPECT_EQ(planOf(mask, {48, 64}, {}), R"(tile 48 x 64
rows 0 to nq
  partial max(0, (q * 48 + nk - nq - 256) floordiv 64) to max(0, (q * 48 + nk - nq - 146) floordiv 64) where j >= i - 256
  full max(0, (q * 48 + nk - nq - 146) floordiv 64) to max(0, min(nk floordiv 64, (q * 48 + nk - nq + 257) floordiv 64))
  partial max(0, min(nk floordiv 64, (q * 48 + nk - nq + 257) floordiv 64)) to min((nk + 63) floordiv 64, (q * 48 + nk - nq + 367) floordiv 64) where j < i + 257 and j < nk
)");
}

TEST(PlanTest, GlobalTokenHasItsOwnHeavyRowsAndItsOwnColumn) {
  Mask mask = longformer(512, {0});
  EXPECT_EQ(planOf(mask, {48, 64}, known(4096, 4096)), R"(tile 48 x 64
rows 0 to 4096
  partial 0 to 1
  partial max(1, (q * 3 - 16) floordiv 4) to max(1, (q * 3 - 10) floordiv 4)
  full max(1, (q * 3 - 10) floordiv 4) to min(64, (q * 3 + 16) floordiv 4)
  partial min(64, (q * 3 + 16) floordiv 4) to min(64, (q * 3 + 22) floordiv 4)
rows 0 to 1, heavy
  full 0 to 64
)");
  EXPECT_EQ(planOf(mask, {48, 64}, {}), R"(tile 48 x 64
rows 0 to nq
  partial 0 to 1
  partial max(1, (q * 48 + nk - nq - 256) floordiv 64) to max(1, (q * 48 + nk - nq - 146) floordiv 64)
  full max(1, (q * 48 + nk - nq - 146) floordiv 64) to max(1, min(nk floordiv 64, (q * 48 + nk - nq + 257) floordiv 64))
  partial max(1, min(nk floordiv 64, (q * 48 + nk - nq + 257) floordiv 64)) to min((nk + 63) floordiv 64, (q * 48 + nk - nq + 367) floordiv 64)
rows max(0, nq - nk) to nq - nk + 1, heavy
  full 0 to nk floordiv 64
  partial nk floordiv 64 to (nk + 63) floordiv 64 where j < nk
)");
}

TEST(PlanTest, AlignedBigBirdHasNoPartialSegment) {
  EXPECT_EQ(planOf(bigBird(64, 3, 3, 0, 64), {64, 64}, known(4096, 4096)),
            R"(tile 64 x 64
rows 0 to 4096
  full 0 to 1
  full max(1, q - 1) to min(63, q + 2)
  full 63 to 64
  draw full 3 blocks of 64, 0 to 64
rows 0 to 64, heavy
  full 0 to 64
rows 4032 to 4096, heavy
  full 0 to 64
)");
}

TEST(PlanTest, OnlyWholeAlignedBlocksAreDrawnFull) {
  Mask::RandomOptions options;
  options.block = 64;
  Mask random = Mask::random(options);
  auto isFull = [](const Mask &mask, TileShape tile, LengthFacts facts) {
    Plan plan = makePlan(mask, tile, facts);
    EXPECT_EQ(plan.classes[0].draws.size(), 1u) << textOf(plan);
    return plan.classes[0].draws[0].full;
  };
  EXPECT_TRUE(isFull(random, {64, 64}, known(1024, 1024)));
  EXPECT_TRUE(isFull(random, {32, 16}, known(1024, 1024)));
  // A last tile of few rows, a last block of few keys, and rows before the
  // first key change nothing.
  EXPECT_TRUE(isFull(random, {32, 16}, known(112, 1008)));
  EXPECT_TRUE(isFull(random, {32, 16}, known(1152, 1024)));
  // Tiles that are not parts of blocks.
  EXPECT_FALSE(isFull(random, {48, 64}, known(1024, 1024)));
  EXPECT_FALSE(isFull(random, {64, 48}, known(960, 960)));
  EXPECT_FALSE(isFull(random, {128, 64}, known(1024, 1024)));
  // A last tile of few keys; rows that straddle two row blocks.
  EXPECT_FALSE(isFull(random, {64, 64}, known(1032, 1032)));
  EXPECT_FALSE(isFull(random, {64, 64}, known(1000, 1024)));
  // Unknown lengths.
  EXPECT_FALSE(isFull(random, {64, 64}, {}));
  LengthFacts keysOnly;
  keysOnly.nk = 1024;
  EXPECT_FALSE(isFull(random, {64, 64}, keysOnly));
  // Another literal masks too.
  EXPECT_FALSE(isFull(Mask::intersectionOf({random, Mask::causal()}), {64, 64},
                      known(1024, 1024)));
  EXPECT_FALSE(isFull(Mask::intersectionOf({random, Mask::strided(2)}),
                      {64, 64}, known(1024, 1024)));
}

TEST(PlanTest, SmallTilesOfAlignedBlocksAreFullOrEmpty) {
  Mask mask = Mask::unionOf(
      {Mask::slidingWindow(1, 1, 1, 64), Mask::global({}, 64, 64)});
  Plan plan = makePlan(mask, {32, 16}, known(1024, 1024));
  for (const RowClass &cls : plan.classes)
    for (const Segment &segment : cls.segments)
      EXPECT_TRUE(segment.full) << textOf(plan);
}

TEST(PlanTest, StreamingIsSinksThenTheWindow) {
  EXPECT_EQ(planOf(streaming(4, 1024), {48, 64}, {}), R"(tile 48 x 64
rows 0 to nq
  partial 0 to 1
  partial max(1, (q * 48 + nk - nq - 1023) floordiv 64) to max(1, (q * 48 + nk - nq - 913) floordiv 64)
  full max(1, (q * 48 + nk - nq - 913) floordiv 64) to max(1, (q * 48 + nk - nq + 1) floordiv 64)
  partial max(1, (q * 48 + nk - nq + 1) floordiv 64) to min((nk + 63) floordiv 64, (q * 48 + nk - nq + 111) floordiv 64)
)");
}

TEST(PlanTest, StridedIsOnePartialHull) {
  Mask mask = Mask::intersectionOf(
      {Mask::causal(),
       Mask::unionOf({Mask::slidingWindow(63, 0), Mask::strided(64)})});
  EXPECT_EQ(planOf(mask, {48, 64}, known(4096, 4096)), R"(tile 48 x 64
rows 0 to 4096
  partial 0 to min(64, (q * 3 + 6) floordiv 4)
)");
}

TEST(PlanTest, AlignedChunksAreFull) {
  EXPECT_EQ(planOf(Mask::chunked(512), {64, 64}, known(4096, 4096)),
            R"(tile 64 x 64
rows 0 to 4096
  full q floordiv 8 * 8 to q floordiv 8 * 8 + 8
)");
}

TEST(PlanTest, PrefixKeepsFullTilesFull) {
  EXPECT_EQ(planOf(Mask::unionOf({Mask::causal(), Mask::prefix(100)}), {48, 64},
                   known(4096, 4096)),
            R"(tile 48 x 64
rows 0 to 4096
  full 0 to 1
  partial 1 to 2
  full 2 to max(2, q * 3 floordiv 4)
  partial max(2, q * 3 floordiv 4) to min(64, (q * 3 + 6) floordiv 4) where j < i + 1
)");
}

TEST(PlanTest, EmptyMaskVisitsNothing) {
  EXPECT_EQ(planOf(Mask::complementOf(Mask::full()), {48, 64}, {}),
            "tile 48 x 64\nrows 0 to nq\n");
}

TEST(PlanTest, GlobalTokenPastTheEndHasNoClass) {
  EXPECT_EQ(
      makePlan(longformer(8, {500}), {16, 16}, known(100, 100)).classes.size(),
      1u);
}

TEST(PlanTest, NeighbouringGlobalTokensShareAClass) {
  Plan plan = makePlan(longformer(8, {3, 4, 5}), {16, 16}, {});
  ASSERT_EQ(plan.classes.size(), 2u) << textOf(plan);
  EXPECT_EQ(plan.classes[1].rowBegin.evaluate(0, {64, 64}), 3);
  EXPECT_EQ(plan.classes[1].rowEnd.evaluate(0, {64, 64}), 6);
}

TEST(PlanTest, ManyGlobalTokensStayCorrect) {
  for (int64_t gap : {2, 7, 40}) {
    llvm::SmallVector<int64_t> tokens;
    for (int64_t k = 0; k < 20; ++k)
      tokens.push_back(k * gap);
    Mask mask = longformer(8, tokens);
    Plan plan = makePlan(mask, {16, 16}, {});
    EXPECT_LE(plan.classes.size(), 17u);
    for (Lengths n : {Lengths{100, 100}, Lengths{60, 130}, Lengths{70, 50}})
      EXPECT_EQ(findViolation(mask, plan, n, 1), "") << textOf(plan);
  }
}

/// Diagonals at some distance, each of which is a piece.
Mask diagonals(int64_t count) {
  llvm::SmallVector<Mask> members;
  for (int64_t k = 0; k < count; ++k)
    members.push_back(Mask::slidingWindow(3 * k, -3 * k));
  return Mask::unionOf(members);
}

TEST(PlanTest, TooManyPiecesFallBackToOnePartialSegment) {
  EXPECT_EQ(
      planOf(diagonals(80), {16, 16}, {}),
      "tile 16 x 16\nrows 0 to nq\n  partial 0 to (nk + 15) floordiv 16\n");
}

TEST(PlanTest, RowsOfAPieceAreAConditionOfItsTiles) {
  // Rows from position 4096 on see the first tile; too many for a class.
  Mask later = Mask::intersectionOf(
      {Mask::complementOf(Mask::global({}, 4096, 0, Mask::Direction::Rows)),
       Mask::prefix(16)});
  EXPECT_EQ(planOf(later, {16, 16}, known(8192, 8192)),
            R"(tile 16 x 16
rows 0 to 8192
  partial 0 to 1 when min(q * -16 + 4096, q * 16 - 4080) > 0 where i >= 4096
  full 0 to 1 when q * 16 - 4095 > 0
)");
}

using Reason = PlanLoss::Reason;
using Visited = PlanLoss::Visited;

llvm::SmallVector<PlanLoss> lossesOf(const Mask &mask, LengthFacts facts = {}) {
  llvm::SmallVector<PlanLoss> losses;
  makePlan(mask, {16, 16}, facts, &losses);
  return losses;
}

/// Diagonal bands, far apart from one another.
Mask bands(int64_t count) {
  llvm::SmallVector<Mask> members;
  for (int64_t k = 0; k < count; ++k)
    members.push_back(Mask::intersectionOf(
        {Mask::slidingWindow(100 * k + 50, std::nullopt),
         Mask::complementOf(Mask::slidingWindow(100 * k, std::nullopt))}));
  return Mask::unionOf(members);
}

/// Bands whose bounds no formula compares.
Mask chunks(int64_t count) {
  llvm::SmallVector<Mask> members;
  for (int64_t k = 0; k < count; ++k)
    members.push_back(Mask::chunked(17 + k));
  return Mask::unionOf(members);
}

TEST(PlanLossTest, KnownPatternsLoseNothing) {
  for (const Mask &mask :
       {Mask::full(), Mask::causal(), Mask::slidingWindow(256, 256),
        longformer(512, {0}), longformer(8, {3, 4, 5}), Mask::chunked(64),
        bigBird(64, 3, 3, 0, 64), Mask::strided(8), Mask::prefix(5),
        Mask::unionOf({Mask::causal(), Mask::lastBlock(64)})})
    for (LengthFacts facts : {LengthFacts(), known(4096, 4096)})
      EXPECT_TRUE(lossesOf(mask, facts).empty());
}

TEST(PlanLossTest, NamesWhatWasTooMuch) {
  EXPECT_EQ(lossesOf(diagonals(80)),
            (llvm::SmallVector<PlanLoss>{{Reason::ManyPieces, Visited::All}}));
  // Where rows may not stand in a list, sets of many tokens are no ranges.
  llvm::SmallVector<int64_t> tokens;
  for (int64_t k = 0; k < 80; ++k)
    tokens.push_back(k * 3);
  EXPECT_TRUE(llvm::is_contained(lossesOf(longformer(8, tokens)),
                                 PlanLoss{Reason::ManyPieces, Visited::Hull}));
  tokens.clear();
  for (int64_t k = 0; k < 20; ++k)
    tokens.push_back(k * 40);
  EXPECT_TRUE(
      llvm::is_contained(lossesOf(longformer(8, tokens)),
                         PlanLoss{Reason::ManyRowClasses, Visited::Hull}));
  // First the bands that move become one, at last everything.
  using List = llvm::SmallVector<PlanLoss>;
  int64_t count = 1;
  while (count < 30 && lossesOf(bands(count)).empty())
    ++count;
  EXPECT_EQ(lossesOf(bands(count)),
            (List{{Reason::ManySegments, Visited::Hull}}))
      << count;
  EXPECT_EQ(lossesOf(bands(30)), (List{{Reason::ManySegments, Visited::Hull}}));
  EXPECT_EQ(lossesOf(chunks(30)), (List{{Reason::ManySegments, Visited::All}}));
}

TEST(PlanLossTest, NamesTheLeafWithoutClosedForm) {
  struct Checkers : MaskNode {
    bool contains(const Lengths &, int64_t, int64_t i,
                  int64_t j) const override {
      return (i + j) % 2 == 0;
    }
    void print(llvm::raw_ostream &os) const override { os << "checkers"; }
  };
  Mask checkers(std::make_shared<Checkers>());
  llvm::SmallVector<PlanLoss> expected = {
      {Reason::OpaqueLeaf, Visited::All, "checkers", /*wantsLength=*/true}};
  EXPECT_EQ(lossesOf(checkers), expected);
  EXPECT_EQ(describe(lossesOf(checkers, known(64, 64)).front()),
            describe({Reason::OpaqueLeaf, Visited::All, "checkers"}));
  EXPECT_EQ(
      lossesOf(Mask::unionOf({Mask::intersectionOf({Mask::causal(), checkers}),
                              Mask::complementOf(checkers)})),
      expected);
}

TEST(PlanLossTest, EachHasAFactAndARemedy) {
  EXPECT_EQ(describe({Reason::ManyPieces}),
            "the mask is a union of more than 64 pieces, so every tile is "
            "visited, with the mask evaluated in each; write it with fewer "
            "terms, or give its parts attentions of their own and merge these "
            "by their LSE");
  EXPECT_EQ(describe({Reason::ManyRowClasses, Visited::Hull}),
            "too many ranges of rows, such as those of global tokens, would be "
            "planned apart, so they are planned with all others; put tokens "
            "side by side, or give these rows an attention of their own");
  EXPECT_EQ(describe({Reason::ManySegments, Visited::Hull}),
            "the tiles of a query tile need too many segments, so all tiles "
            "between the first and the last one are visited, with the mask "
            "evaluated in each; write the mask with fewer terms, or give its "
            "parts attentions of their own and merge these by their LSE");
  EXPECT_EQ(describe({Reason::OpaqueLeaf, Visited::All, "product"}),
            "'product' has no closed form, so every tile that the rest of the "
            "mask leaves is visited, with the mask evaluated in each; "
            "intersect it with a mask that bounds it");
  EXPECT_EQ(describe({Reason::OpaqueLeaf, Visited::All, "product", true}),
            "'product' has no closed form, so every tile that the rest of the "
            "mask leaves is visited, with the mask evaluated in each; "
            "intersect it with a mask that bounds it, or write the number of "
            "keys in the types, with which it may have one");
}

TEST(PlanTest, LinearMasksAreCountedAtAMillion) {
  int64_t n = 1 << 20;
  for (const Mask &mask : {longformer(512, {0}), bigBird(64, 3, 3, 0, 64)}) {
    for (bool isStatic : {false, true}) {
      Plan plan =
          makePlan(mask, {128, 64}, isStatic ? known(n, n) : LengthFacts());
      TileCounts counts = countTiles(plan, {n, n}, 0);
      uint64_t queryTiles = 0;
      for (const RowClass &cls : plan.classes)
        queryTiles += cls.numQueryTiles(plan.tile, {n, n});
      EXPECT_EQ(counts.full + counts.partial + counts.empty,
                queryTiles * (n / 64));
      // About 11 key tiles for each of 8192 query tiles, and the heavy rows.
      EXPECT_LT(counts.full + counts.partial, 200000u);
    }
  }
}

TEST(PlanTest, ParametersBeyondEveryPositionDoNotWrapInBounds) {
  // Where lengths are unknown, plans multiply numbers of rows by 2^32.
  constexpr int64_t huge = int64_t(1) << 40;
  for (const Mask &mask :
       {Mask::global({}, huge, 0, Mask::Direction::Rows),
        Mask::global({}, 0, huge, Mask::Direction::Rows),
        Mask::complementOf(Mask::global({}, huge, 0, Mask::Direction::Rows)),
        Mask::complementOf(Mask::lastBlock(huge, Mask::Direction::Rows)),
        Mask::unionOf({Mask::lastBlock(huge), Mask::causal()})}) {
    Plan plan = makePlan(mask, {16, 16}, {});
    for (Lengths n : {Lengths{1, 1}, {40, 70}, {70, 40}})
      EXPECT_EQ(findViolation(mask, plan, n, 1), "");
    for (const RowClass &cls : plan.classes)
      for (const Segment &segment : cls.segments) {
        std::string error;
        EXPECT_TRUE(TileExpr::parse(segment.end.str(), error)) << error;
      }
  }
}

//===----------------------------------------------------------------------===//
// Choice of a tile
//===----------------------------------------------------------------------===//

void expectTile(const Mask &mask, int64_t headDim, LengthFacts facts,
                int64_t queries, int64_t keys) {
  TileShape tile = chooseTile(mask, *target::findCpu("x86-64-v3")->tiles,
                              {headDim, headDim, 4}, facts);
  EXPECT_EQ(tile.queries, queries);
  EXPECT_EQ(tile.keys, keys);
}

TEST(ChooseTileTest, UnalignedMasksGetTheDefault) {
  expectTile(Mask::causal(), 64, {}, 48, 64);
  expectTile(Mask::strided(64), 64, {}, 48, 64);
  expectTile(Mask::causal(), 256, {}, 48, 32);
}

TEST(ChooseTileTest, UnalignedWindowsGetSmallTiles) {
  expectTile(longformer(512, {0}), 64, known(4096, 4096), 32, 32);
  expectTile(Mask::slidingWindow(257, 0), 128, {}, 32, 32);
  expectTile(Mask::chunked(300), 64, {}, 32, 32);
}

TEST(ChooseTileTest, NarrowWindowsGetTheSmallestTiles) {
  auto window = [](std::optional<int64_t> left, int64_t right) {
    return Mask::slidingWindow(left, right);
  };
  expectTile(window(128, 128), 64, {}, 16, 16);
  expectTile(window(129, 128), 64, {}, 32, 32);
  expectTile(window(256, 0), 128, {}, 16, 16);
  expectTile(Mask::chunked(100), 64, {}, 16, 16);
  // With few other rows and columns, wherever these are.
  expectTile(longformer(128, {0, 77}), 64, {}, 16, 16);
  Mask fromEnd = Mask::global({}, /*first=*/0, /*last=*/8);
  expectTile(Mask::unionOf({window(64, 64), fromEnd}), 64, {}, 16, 16);
  // But not beside much that is none.
  expectTile(Mask::unionOf({window(64, 64), Mask::prefix(300)}), 64, {}, 32,
             32);
  expectTile(Mask::unionOf({window(64, 64), window(500, -300)}), 64, {}, 16,
             16);
  expectTile(Mask::unionOf({window(64, 64), window(std::nullopt, -300)}), 64,
             {}, 32, 32);
}

TEST(ChooseTileTest, AlignedMasksGetTilesThatDivideTheBlock) {
  expectTile(bigBird(64, 3, 3, 0, 64), 64, known(4096, 4096), 64, 64);
  expectTile(bigBird(64, 3, 3, 0, 64), 64, {}, 64, 64);
  expectTile(Mask::chunked(512), 64, {}, 64, 64);
  expectTile(Mask::chunked(96), 64, {}, 32, 32);
  expectTile(Mask::slidingWindow(1, 1, 1, 16), 64, {}, 16, 16);
  // The last block of 40 keys starts at a multiple of 64.
  expectTile(bigBird(64, 3, 3, 0, 40), 64, known(1000, 1000), 64, 64);
}

TEST(ChooseTileTest, ShortSequencesGetSmallTiles) {
  expectTile(Mask::causal(), 64, known(5, 5), 16, 8);
  expectTile(Mask::causal(), 64, known(33, 40), 48, 40);
}

//===----------------------------------------------------------------------===//
// Choice of a GPU tile
//===----------------------------------------------------------------------===//

TileShape gpuTile(const Mask &mask, const TileMemory &memory,
                  const LengthFacts &facts) {
  return chooseTile(mask, *target::findGpu("sm_80")->tiles, memory, facts);
}

TEST(ChooseTileTest, GpuTilesFitSharedMemoryWhereAnyTileDoes) {
  for (int64_t headDim : {16, 64, 80, 128, 256, 512})
    for (int64_t elementBytes : {2, 4})
      for (int64_t stages : {2, 4})
        for (int64_t limit : {16 << 10, 48 << 10, 99 << 10, 227 << 10}) {
          TileMemory needs{headDim, headDim, elementBytes, stages, limit};
          TileShape tile = gpuTile(Mask::causal(), needs, {});
          EXPECT_EQ(tile.queries % 16, 0);
          EXPECT_EQ(tile.keys % 16, 0);
          bool smallestFits = needs.sharedBytes({16, 16}) <= limit;
          EXPECT_EQ(needs.sharedBytes(tile) <= limit, smallestFits)
              << headDim << " " << elementBytes << " " << stages << " "
              << limit;
        }
}

TEST(ChooseTileTest, GpuTilesLeaveRegistersForThePartsOfF32) {
  auto keys = [](int64_t headDim, int64_t valueDim, int64_t bytes) {
    return gpuTile(Mask::causal(), {headDim, valueDim, bytes}, {}).keys;
  };
  EXPECT_EQ(keys(96, 96, 4), 32);
  EXPECT_EQ(keys(112, 96, 4), 16);
  EXPECT_EQ(keys(64, 128, 4), 16);
  EXPECT_EQ(keys(128, 128, 2), 48);
}

TEST(ChooseTileTest, GpuTilesOf16BitTypesAreThoseOfTheHeadAndTheChip) {
  auto expect = [](llvm::StringRef chip, int64_t headDim, int64_t queries,
                   int64_t keys) {
    const target::GpuTarget &gpu = *target::findGpu(chip);
    TileMemory memory{headDim, headDim, 2, 2, gpu.sharedLimit};
    TileShape tile = chooseTile(Mask::causal(), *gpu.tiles, memory, {});
    EXPECT_EQ(tile.queries, queries) << chip.str() << " " << headDim;
    EXPECT_EQ(tile.keys, keys) << chip.str() << " " << headDim;
  };
  for (llvm::StringRef chip : {"sm_80", "sm_86", "sm_90", "sm_120"})
    for (int64_t headDim : {64, 80})
      expect(chip, headDim, 128, 64);
  for (int64_t headDim : {96, 128}) {
    expect("sm_80", headDim, 128, 48);
    expect("sm_86", headDim, 128, 64);
    expect("sm_90", headDim, 128, 32);
    expect("sm_100", headDim, 128, 64);
  }
  for (llvm::StringRef chip : {"sm_80", "sm_90"}) {
    expect(chip, 160, 128, 48);
    expect(chip, 192, 128, 48);
    expect(chip, 256, 128, 32);
  }
  for (llvm::StringRef chip : {"sm_86", "sm_120"})
    for (int64_t headDim : {160, 192, 256})
      expect(chip, headDim, 64, 32);
}

TEST(ChooseTileTest, NarrowWindowsOfLongHeadsGetFewerKeysOnSm80) {
  auto keys = [](const Mask &mask, int64_t headDim) {
    return gpuTile(mask, {headDim, headDim, 2}, {}).keys;
  };
  EXPECT_EQ(keys(Mask::slidingWindow(64, 64), 64), 64);
  EXPECT_EQ(keys(Mask::slidingWindow(64, 64), 96), 48);
  EXPECT_EQ(keys(Mask::slidingWindow(64, 64), 128), 32);
  EXPECT_EQ(keys(Mask::slidingWindow(1023, 0), 128), 32);
  EXPECT_EQ(keys(Mask::slidingWindow(1024, 0), 128), 48);
  EXPECT_EQ(keys(streaming(4, 1024), 128), 32);
  // Blocks come first.
  EXPECT_EQ(keys(Mask::chunked(192), 128), 48);
}

// Beside a diagonal and columns, which are not aligned to them.
TEST(ChooseTileTest, KeyTilesEndWhereBlocksDo) {
  auto keys = [](int64_t block, int64_t headDim) {
    Mask mask = Mask::intersectionOf(
        {Mask::causal(), Mask::unionOf({Mask::chunked(block),
                                        Mask::periodicColumns(block, 8)})});
    return gpuTile(mask, {headDim, headDim, 2}, {}).keys;
  };
  EXPECT_EQ(keys(128, 128), 32);
  EXPECT_EQ(keys(192, 128), 48);
  EXPECT_EQ(keys(96, 64), 48);
  EXPECT_EQ(keys(128, 64), 64);
  // No tile of 24 to 48 keys ends with these, and of 16 there would be twice as
  // many.
  EXPECT_EQ(keys(80, 128), 48);
  // The last tile of a long block is one of many, and may be a short one.
  EXPECT_EQ(keys(1024, 128), 48);
}

/// The values of these heads are cut into slices of 256 columns.
TEST(ChooseTileTest, GpuTilesOfLongHeadsFitEveryChip) {
  auto tileOf = [](const target::GpuTarget &gpu, int64_t headDim) {
    TileMemory memory{headDim, 256, 2, 2, gpu.sharedLimit};
    TileShape tile = chooseTile(Mask::causal(), *gpu.tiles, memory, {});
    EXPECT_LE(memory.sharedBytes(tile), gpu.sharedLimit) << gpu.name.str();
    return std::pair(tile.queries, tile.keys);
  };
  for (const target::GpuTarget &gpu : target::getGpus())
    for (int64_t d = 264; d <= gpu.maxHalfHeadSize; d += 8)
      tileOf(gpu, d);
  auto expect = [&](llvm::StringRef chip, int64_t headDim, int64_t queries,
                    int64_t keys) {
    EXPECT_EQ(tileOf(*target::findGpu(chip), headDim), std::pair(queries, keys))
        << chip.str() << " " << headDim;
  };
  expect("sm_80", 512, 64, 32);
  expect("sm_80", 576, 64, 16);
  expect("sm_90", 512, 128, 32);
  expect("sm_90", 576, 128, 16);
  expect("sm_100", 512, 64, 32);
  expect("sm_120", 320, 64, 16);
  expect("sm_120", 512, 32, 16);
  expect("sm_120", 576, 32, 16);
}

TEST(ChooseTileTest, GpuTilesLeaveRoomForListsOfDrawnTiles) {
  // 16 blocks for each of the 9 row blocks that 128 rows touch, at 8 bytes.
  Mask::RandomOptions options;
  options.block = 16;
  options.blocksPerRow = 16;
  options.seed = 1;
  TileMemory needs{64, 64, 2, 2, 0};
  needs.sharedLimit = needs.sharedBytes({128, 64});
  TileShape causal = gpuTile(Mask::causal(), needs, {});
  EXPECT_EQ(causal.keys, 64);
  Mask mask = Mask::random(options);
  TileShape tile = gpuTile(mask, needs, {});
  Plan plan = makePlan(mask, tile, {});
  int64_t longest = 0;
  for (const RowClass &cls : plan.classes)
    longest = std::max(longest, cls.maxDrawnTiles(tile));
  EXPECT_GT(longest, 0);
  EXPECT_LE(needs.sharedBytes(tile) + 8 * (longest + 1), needs.sharedLimit);
}

TEST(ChooseTileTest, GpuTilesDivideTheBlocksOfAMask) {
  TileShape tile = gpuTile(Mask::chunked(64), {64, 64, 2}, known(4096, 4096));
  EXPECT_EQ(tile.queries, 64);
  EXPECT_EQ(tile.keys, 64);
}

/// Where 48 keys are the most, shorter blocks get 32 and longer ones are cut.
TEST(ChooseTileTest, GpuTilesOfWideHeadsDivideShortBlocks) {
  auto keys = [](int64_t block, int64_t sharedLimit) {
    TileMemory memory{128, 128, 2, 2, sharedLimit};
    return gpuTile(Mask::chunked(block), memory, known(16384, 16384)).keys;
  };
  EXPECT_EQ(keys(64, 0), 32);
  EXPECT_EQ(keys(512, 0), 32);
  EXPECT_EQ(keys(768, 0), 48);
  EXPECT_EQ(keys(8192, 0), 48);
  // Shared memory for 64 queries and two stages of 31 keys.
  EXPECT_EQ(keys(64, (64 + 4 * 31) * 256), 16);
}

TEST(ChooseTileTest, GpuTilesAreNoLargerThanShortSequencesNeed) {
  TileShape tile = gpuTile(Mask::causal(), {64, 64, 2}, known(1, 33));
  EXPECT_EQ(tile.queries, 16);
  EXPECT_EQ(tile.keys, 48);
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

std::string textWithLayouts(const Mask &mask, TileShape tile,
                            const LengthFacts &facts) {
  return textOf(
      makePlan(mask, tile, facts, /*losses=*/nullptr, KeyLayouts::Any));
}

TEST(PlanTest, SummaryColumnsStandOnALattice) {
  Mask mask = Mask::intersectionOf(
      {Mask::causal(),
       Mask::unionOf({Mask::chunked(64), Mask::periodicColumns(64, 16)})});
  EXPECT_EQ(
      textWithLayouts(mask, {32, 32}, known(1024, 1024)),
      "tile 32 x 32\n"
      "rows 0 to 1024\n"
      "  full q floordiv 2 * 2 to q\n"
      "  partial q to q + 1 where j < i + 1\n"
      "  full 0 to q floordiv 4 of lattice<step = 64, width = 16, shift "
      "= 48, tile = 32>\n"
      "  partial q floordiv 4 to (q + 2) floordiv 4 of lattice<step = 64, "
      "width = 16, shift = 48, tile = 32> where j < i floordiv 64 * "
      "64\n");
}

TEST(PlanTest, ScatteredTokensAreListed) {
  Mask mask = Mask::unionOf(
      {Mask::slidingWindow(20, 20),
       Mask::global({300, 7, 8, 99}, 0, 0, Mask::Direction::Columns)});
  EXPECT_EQ(
      textWithLayouts(mask, {32, 32}, known(512, 512)),
      "tile 32 x 32\n"
      "rows 0 to 512\n"
      "  partial max(0, q - 1) to min(16, q + 2) where j >= i - 20 and j < i + "
      "21 and j < nk\n"
      "  partial 0 to 1 of list<[7, 8, 99, 300], width = 1, tile = 16> where "
      "j < i - 20 or j >= i + 21 and j < nk\n");
}

// What a kernel cannot load, or saves nothing, is not planned.
TEST(PlanTest, LayoutsAreTakenWhereTheyPay) {
  Mask columns = Mask::periodicColumns(8, 1);
  EXPECT_EQ(textOf(makePlan(columns, {32, 32}, {})).find("lattice"),
            std::string::npos);
  Mask nearlyAll =
      Mask::unionOf({Mask::slidingWindow(400, 400),
                     Mask::global({7}, 0, 0, Mask::Direction::Columns)});
  EXPECT_EQ(textWithLayouts(nearlyAll, {32, 32}, {}).find("list"),
            std::string::npos);
}

// One token's column is a tile of 64 keys, or of 16: a kernel takes it for less
// than a processor asks for.
TEST(PlanTest, KernelsTakeAListForOneToken) {
  Mask mask =
      Mask::unionOf({Mask::slidingWindow(256, 256),
                     Mask::global({0}, 0, 0, Mask::Direction::Columns)});
  auto isListed = [&](KeyLayouts layouts) {
    Plan plan = makePlan(mask, {128, 64}, {}, /*losses=*/nullptr, layouts);
    return textOf(plan).find("list<[0], width = 1, tile = 16>") !=
           std::string::npos;
  };
  EXPECT_TRUE(isListed(KeyLayouts::InKernels));
  EXPECT_FALSE(isListed(KeyLayouts::Any));
}

// Steps and shifts beyond every position are right, and not worth a layout.
TEST(PlanTest, LatticesBeyondAllSequencesAreNone) {
  Mask mask = Mask::periodicColumns(int64_t(1) << 31, 64);
  EXPECT_EQ(textWithLayouts(mask, {48, 64}, {}).find("lattice"),
            std::string::npos);
}

// A loop for each of 30 lists of keys took upstream's bufferization for ever.
TEST(PlanTest, ManyLayoutsOfKeysAreNone) {
  auto layoutsOf = [](int64_t blocks) {
    llvm::SmallVector<Mask> members;
    for (int64_t k = 0; k < blocks; ++k)
      members.push_back(
          rectangle({40 * k, 40 * k + 30}, {20 * k + 1, 20 * k + 11}));
    Plan plan = makePlan(Mask::unionOf(members), {64, 64}, known(1600, 1600),
                         /*losses=*/nullptr, KeyLayouts::Any);
    return llvm::any_of(plan.classes,
                        [](const RowClass &cls) { return cls.hasLayouts(); });
  };
  EXPECT_TRUE(layoutsOf(4));
  EXPECT_FALSE(layoutsOf(30));
}

//===----------------------------------------------------------------------===//
// Layouts of rows
//===----------------------------------------------------------------------===//

Plan planWithRows(const Mask &mask, TileShape tile, const LengthFacts &facts,
                  llvm::SmallVectorImpl<PlanLoss> *losses = nullptr) {
  return makePlan(mask, tile, facts, losses, KeyLayouts::Any, RowLayouts::Any);
}

llvm::SmallVector<int64_t> everySoOften(int64_t count, int64_t gap) {
  llvm::SmallVector<int64_t> tokens;
  for (int64_t k = 0; k < count; ++k)
    tokens.push_back(k * gap + k % 3);
  return tokens;
}

TEST(PlanTest, RowsOfScatteredTokensAreOneList) {
  Mask mask = longformer(64, {300, 7, 8, 99});
  EXPECT_EQ(textOf(planWithRows(mask, {32, 32}, known(512, 512))),
            "tile 32 x 32\n"
            "rows 0 to 512\n"
            "  partial max(0, q - 1) to q where j >= i - 32\n"
            "  full q to q + 1\n"
            "  partial q + 1 to min(16, q + 2) where j < i + 33\n"
            "  partial 0 to 1 of list<[7, 8, 99, 300], width = 1, tile = 16> "
            "where j < i - 32 or j >= i + 33 and j < nk\n"
            "rows 0 to 4 of list<[7, 8, 99, 300], width = 1, tile = 16>, "
            "heavy\n"
            "  full 0 to 16\n");
}

// The number of tokens makes a plan no longer, but for the list itself.
TEST(PlanTest, ManyTokensCostNoMoreClassesNorSegments) {
  auto sizeOf = [](const Plan &plan) {
    size_t size = 0;
    for (const RowClass &cls : plan.classes)
      size += 1 + cls.segments.size();
    return size;
  };
  for (LengthFacts facts : {LengthFacts(), known(16384, 16384)}) {
    llvm::SmallVector<PlanLoss> losses;
    Plan few = planWithRows(longformer(64, everySoOften(17, 900)), {64, 64},
                            facts, &losses);
    Plan many = planWithRows(longformer(64, everySoOften(1000, 16)), {64, 64},
                             facts, &losses);
    EXPECT_EQ(few.classes.size(), 2u) << textOf(few);
    EXPECT_EQ(sizeOf(few), sizeOf(many)) << textOf(many);
    EXPECT_TRUE(losses.empty());
  }
}

// Each list has bounds of its own where they move with the query.
TEST(PlanTest, ListsAreCutWhereBoundsMove) {
  Mask mask = Mask::intersectionOf(
      {Mask::causal(), longformer(64, everySoOften(64, 64))});
  Plan plan = planWithRows(mask, {16, 16}, known(4096, 4096));
  EXPECT_EQ(plan.classes.size(), 5u) << textOf(plan);
  EXPECT_LE(countVisitedPairs(plan, {4096, 4096}, 0),
            countLivePairs(mask, {4096, 4096}, 0) * 5 / 3);
}

TEST(PlanTest, RowsOfAPeriodStandOnALattice) {
  Mask mask = Mask::intersectionOf(
      {Mask::causal(),
       Mask::unionOf({Mask::chunked(64), Mask::periodicColumns(64, 8),
                      Mask::periodicRows(64, 8)})});
  EXPECT_EQ(textOf(planWithRows(mask, {32, 32}, known(2048, 2048))),
            "tile 32 x 32\n"
            "rows 0 to 2048\n"
            "  full q floordiv 2 * 2 to q\n"
            "  partial q to q + 1 where j < i + 1\n"
            "  full 0 to q floordiv 8 of lattice<step = 64, width = 8, shift = "
            "56, tile = 32>\n"
            "  partial q floordiv 8 to (q + 6) floordiv 8 of lattice<step = "
            "64, width = 8, shift = 56, tile = 32> where j < i floordiv 64 * "
            "64\n"
            "rows 0 to 256 of lattice<step = 64, width = 8, shift = 56, tile = "
            "32>\n"
            "  full 0 to q * 8 + 1\n"
            "  partial q * 8 + 1 to q * 8 + 8 where j < i + 1\n");
}

// Rows before position 0 are in no layout.
TEST(PlanTest, RowsOfAPeriodAreOrdinaryWhereSomeMayStandBefore0) {
  Mask mask =
      Mask::unionOf({Mask::slidingWindow(8, 8), Mask::periodicRows(64, 4)});
  auto hasLattice = [&](const LengthFacts &facts) {
    return llvm::any_of(planWithRows(mask, {32, 32}, facts).classes,
                        [](const RowClass &cls) {
                          return cls.layout.kind == Layout::Kind::Lattice;
                        });
  };
  EXPECT_FALSE(hasLattice({}));
  EXPECT_FALSE(hasLattice(known(4096, 64)));
  EXPECT_TRUE(hasLattice(known(4096, 4096)));
  LengthAssumption equal;
  equal.offsetMultiple = 0;
  EXPECT_TRUE(hasLattice(LengthFacts().assuming(equal)));
}

} // namespace
