// The draw of docs/Patterns.md against a plain second implementation.

#include "RandomMask.h"
#include "llvm/ADT/STLExtras.h"
#include <gtest/gtest.h>
#include <set>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::test;

namespace {

uint64_t plainSplitmix(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  uint64_t z = x;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

/// E_I as a list of flags.
std::vector<bool> plainExcluded(const Mask::RandomOptions &o, int64_t nb,
                                int64_t rowBlock) {
  std::vector<bool> excluded(nb, false);
  if (o.bigBirdWindowRadius)
    for (int64_t x = 0; x < nb; ++x)
      excluded[x] = x == 0 || x == nb - 1 ||
                    std::abs(x - rowBlock) <= *o.bigBirdWindowRadius;
  return excluded;
}

std::vector<int64_t> plainDraw(const Mask::RandomOptions &o, int64_t n,
                               int64_t head, int64_t rowBlock) {
  int64_t nb = (n + o.block - 1) / o.block;
  std::vector<int64_t> picks;
  if (o.bigBirdWindowRadius && (rowBlock == 0 || rowBlock == nb - 1))
    return picks;
  std::vector<bool> taken = plainExcluded(o, nb, rowBlock);
  uint64_t h = o.perHead ? head : 0;
  uint64_t key =
      plainSplitmix(plainSplitmix(plainSplitmix(o.seed) ^ h) ^ rowBlock);
  for (int64_t t = 0; t < o.blocksPerRow; ++t) {
    std::vector<int64_t> free;
    for (int64_t x = 0; x < nb; ++x)
      if (!taken[x])
        free.push_back(x);
    if (free.empty())
      break;
    uint64_t u = plainSplitmix(key ^ t) >> 32;
    picks.push_back(free[(u * free.size()) >> 32]);
    taken[picks.back()] = true;
  }
  return picks;
}

TEST(RandomBlocks, SplitmixMatchesThePublishedSequence) {
  // The first outputs of splitmix64 seeded with 1234567, as published with
  // Rosetta Code and the generator's test suites.
  uint64_t state = 1234567;
  for (uint64_t expected :
       {6457827717110365317ull, 3203168211198807973ull, 9817491932198370423ull,
        4593380528125082431ull, 16408922859458223821ull}) {
    EXPECT_EQ(splitmix64(state), expected);
    state += 0x9E3779B97F4A7C15ull;
  }
}

TEST(RandomBlocks, DrawEqualsPlainImplementation) {
  std::mt19937_64 rng(3);
  for (int k = 0; k < 3000; ++k) {
    Mask::RandomOptions o;
    o.block = pick(rng, 1, 70);
    o.blocksPerRow = pick(rng, 0, 9);
    o.seed = rng();
    o.perHead = flip(rng);
    if (flip(rng))
      o.bigBirdWindowRadius = pick(rng, 0, 4);
    int64_t n = pick(rng, 1, 900), nb = (n + o.block - 1) / o.block;
    int64_t rowBlock = pick(rng, 0, nb - 1), head = pick(rng, 0, 40);
    auto drawn = drawRandomBlocks(o, n, head, rowBlock);
    ASSERT_EQ(std::vector<int64_t>(drawn.begin(), drawn.end()),
              plainDraw(o, n, head, rowBlock));
  }
}

TEST(RandomBlocks, DrawsAreDistinctAndNeverExcluded) {
  Mask::RandomOptions o;
  o.bigBirdWindowRadius = 1;
  int64_t n = 4096, nb = 64;
  for (int64_t head = 0; head < 4; ++head)
    for (int64_t rowBlock = 1; rowBlock < nb - 1; ++rowBlock) {
      auto drawn = drawRandomBlocks(o, n, head, rowBlock);
      std::set<int64_t> distinct(drawn.begin(), drawn.end());
      EXPECT_EQ(distinct.size(), 3u);
      std::vector<bool> excluded = plainExcluded(o, nb, rowBlock);
      for (int64_t block : drawn) {
        ASSERT_TRUE(block >= 0 && block < nb);
        EXPECT_FALSE(excluded[block]);
      }
    }
}

TEST(RandomBlocks, DrawIsFixedForever) {
  // Programs elsewhere draw the same blocks: these numbers must never change.
  Mask::RandomOptions o;
  o.seed = 42;
  EXPECT_EQ(drawRandomBlocks(o, 4096, 0, 5),
            (llvm::SmallVector<int64_t>{4, 28, 60}));
  EXPECT_EQ(drawRandomBlocks(o, 4096, 7, 63),
            (llvm::SmallVector<int64_t>{49, 3, 1}));
  o.bigBirdWindowRadius = 1;
  EXPECT_EQ(drawRandomBlocks(o, 1048576, 3, 9999),
            (llvm::SmallVector<int64_t>{5616, 15703, 3300}));
}

TEST(RandomBlocks, GlobalRowBlocksOfBigBirdDrawNone) {
  Mask::RandomOptions o;
  o.bigBirdWindowRadius = 1;
  EXPECT_TRUE(drawRandomBlocks(o, 4096, 0, 0).empty());
  EXPECT_TRUE(drawRandomBlocks(o, 4096, 0, 63).empty());
  EXPECT_FALSE(drawRandomBlocks(o, 4096, 0, 1).empty());
}

TEST(RandomBlocks, DrawStopsWhenNoBlockIsLeft) {
  Mask::RandomOptions o;
  o.block = 4;
  o.blocksPerRow = 10;
  auto drawn = drawRandomBlocks(o, 11, 0, 1);
  EXPECT_EQ(std::set<int64_t>(drawn.begin(), drawn.end()),
            (std::set<int64_t>{0, 1, 2}));
  o.bigBirdWindowRadius = INT64_MAX;
  EXPECT_TRUE(drawRandomBlocks(o, 100, 0, 5).empty());
}

TEST(RandomBlocks, RowsOutsideTheSequenceDrawNone) {
  Mask::RandomOptions o;
  o.block = 4;
  EXPECT_TRUE(drawRandomBlocks(o, 16, 0, -1).empty());
  EXPECT_TRUE(drawRandomBlocks(o, 16, 0, 4).empty());
  Mask mask = Mask::random(o);
  EXPECT_FALSE(mask.contains({20, 16}, 0, -1, 3));
}

TEST(RandomBlocks, HeadsDrawAlikeOnlyWherePerHeadIsOff) {
  Mask::RandomOptions o;
  EXPECT_NE(drawRandomBlocks(o, 1 << 20, 0, 5),
            drawRandomBlocks(o, 1 << 20, 1, 5));
  EXPECT_FALSE(Mask::random(o).isHeadInvariant());
  o.perHead = false;
  EXPECT_EQ(drawRandomBlocks(o, 1 << 20, 0, 5),
            drawRandomBlocks(o, 1 << 20, 1, 5));
  EXPECT_TRUE(Mask::random(o).isHeadInvariant());
}

TEST(RandomBlocks, MaskIsTheDrawnBlocks) {
  std::mt19937_64 rng(5);
  for (int k = 0; k < 100; ++k) {
    Mask mask = randomDraw(rng);
    const RandomBlocks *o = mask.getNode().getRandomBlocks();
    ASSERT_NE(o, nullptr);
    Lengths n = randomLengths(rng, 40);
    for (int64_t i = std::max<int64_t>(n.firstQuery(), 0); i < n.nk; ++i) {
      std::vector<int64_t> drawn = plainDraw(*o, n.nk, 1, i / o->block);
      for (int64_t j = 0; j < n.nk; ++j)
        ASSERT_EQ(mask.contains(n, 1, i, j),
                  llvm::is_contained(drawn, j / o->block));
    }
  }
}

TEST(RandomBlocks, OnlyTheDrawItselfTellsItsOptions) {
  EXPECT_EQ(Mask::causal().getNode().getRandomBlocks(), nullptr);
  EXPECT_EQ(Mask::complementOf(Mask::random({})).getNode().getRandomBlocks(),
            nullptr);
}

} // namespace
