//===- ListedPlanTest.cpp - Plans of masks that read listed tokens --------===//
//
// What listed tokens, and documents beside them, leave of a plan's tiles, by
// brute force at small lengths: every live pair is computed once, full tiles
// are full, and no tile is visited without a reason.
//
//===----------------------------------------------------------------------===//

#include "PlanOracle.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::plan_test;

namespace {

using Direction = Mask::Direction;

std::vector<int32_t> randomTokens(std::mt19937_64 &rng, int64_t length) {
  std::vector<int32_t> tokens(rng() % 6);
  for (int32_t &token : tokens)
    token = int32_t(rng() % (length + 4)) - 2;
  return tokens;
}

/// Documents of a few tokens, in order, of which some are none.
std::vector<int32_t> randomIds(std::mt19937_64 &rng, int64_t length) {
  std::vector<int32_t> ids;
  for (int32_t id = 0; int64_t(ids.size()) < length; ++id)
    ids.insert(ids.end(), 1 + rng() % 30, rng() % 8 == 0 ? -1 : id);
  ids.resize(length);
  return ids;
}

Mask randomMask(std::mt19937_64 &rng) {
  Mask listed = Mask::listed(Direction(rng() % 3));
  Mask a = randomPlanMask(rng, 1, /*allowOpaque=*/false),
       b = randomPlanMask(rng, 1, /*allowOpaque=*/false);
  Mask inDocuments = Mask::intersectionOf({Mask::document(), a});
  switch (rng() % 9) {
  case 0:
    return listed;
  case 1:
    return Mask::intersectionOf({listed, a});
  case 2:
    return Mask::unionOf({Mask::intersectionOf({listed, a}), b});
  case 3:
    return Mask::unionOf({listed, a});
  case 4:
    return Mask::intersectionOf({Mask::complementOf(listed), a});
  case 5:
    return Mask::unionOf({inDocuments, listed});
  case 6:
    return Mask::intersectionOf({Mask::document(), Mask::unionOf({listed, a})});
  case 7:
    return Mask::unionOf(
        {inDocuments, Mask::intersectionOf({listed, Mask::document()}),
         Mask::intersectionOf({Mask::listed(Direction::Columns), b})});
  default:
    return Mask::unionOf({Mask::intersectionOf({listed, a}), inDocuments, b});
  }
}

/// What is known of the rows, or of the keys, of a tile.
struct Marks {
  bool isListed = false;
  int32_t least = std::numeric_limits<int32_t>::max(), greatest = -1;
  bool haveCommon = true;

  Marks(const Lengths &n, int64_t begin, int64_t end) {
    for (int64_t x = begin; x < end; ++x) {
      bool exists = x >= 0 && x < n.nk;
      isListed |= exists && llvm::is_contained(n.data->globalTokens, x);
      int32_t id = exists ? n.data->documents[x] : -1;
      haveCommon &= id >= 0 && (greatest < 0 || id == greatest);
      if (id >= 0)
        least = std::min(least, id);
      greatest = std::max(greatest, id);
    }
  }
};

/// How often key tiles of query tile q hold key j; sets whether one that does
/// is full.
int timesVisited(const RowClass &cls, const TileShape &tile, const Lengths &n,
                 int64_t q, int64_t j, bool &isFull) {
  Range slots = cls.rowSlots(q, tile, n);
  Marks rows(n, slots.begin + n.firstQuery(), slots.end + n.firstQuery());
  int64_t kt = j / tile.keys;
  Marks keys(n, kt * tile.keys, (kt + 1) * tile.keys);
  bool meets = keys.greatest >= rows.least && keys.least <= rows.greatest;
  bool areOne =
      rows.haveCommon && keys.haveCommon && rows.greatest == keys.greatest;
  unsigned facts = (meets ? OneDocument : 0) | (rows.isListed ? ListedRow : 0) |
                   (keys.isListed ? ListedKey : 0);
  int times = 0;
  for (const Segment &segment : cls.segments) {
    Range tiles = segment.keyTiles(q, n);
    if (!tiles.contains(kt) || !segment.within.holds(facts))
      continue;
    ++times;
    isFull |= segment.full && (!segment.within.documents || areOne);
  }
  return times;
}

std::string textOf(const Mask &mask, const Plan &plan) {
  std::string text;
  llvm::raw_string_ostream os(text);
  mask.print(os);
  printPlan(plan, os << "\n");
  return text;
}

TEST(ListedPlanTest, EveryLivePairIsVisitedOnceAndFullTilesAreFull) {
  std::mt19937_64 rng(43);
  int64_t within = 0, live = 0;
  for (int round = 0; round < 600; ++round) {
    int64_t nk = 1 + rng() % 150;
    std::vector<int32_t> ids = randomIds(rng, nk),
                         tokens = randomTokens(rng, nk);
    SequenceData data{ids, 0, tokens};
    Lengths n{rng() % 2 ? nk : 1 + int64_t(rng() % 150), nk, &data};
    Mask mask = randomMask(rng);
    LengthFacts facts;
    if (rng() % 2) {
      facts.nq = n.nq;
      facts.nk = n.nk;
    }
    TileShape tile{1 + int64_t(rng() % 20), 1 + int64_t(rng() % 20)};
    Plan plan = makePlan(mask, tile, facts);
    within += plan.readsListed();
    for (int64_t row = 0; row < n.nq; ++row) {
      const RowClass *cls = ownerOf(plan, row, n);
      ASSERT_TRUE(cls);
      int64_t q = queryTileOf(*cls, tile, row, n);
      for (int64_t j = 0; j < nk; ++j) {
        bool isFull = false;
        int times = timesVisited(*cls, tile, n, q, j, isFull);
        bool isLive = mask.contains(n, 0, row + n.firstQuery(), j);
        live += isLive;
        ASSERT_TRUE(times <= 1 && (!isLive || times == 1) &&
                    (!isFull || isLive))
            << textOf(mask, plan) << "round " << round << ", row " << row
            << ", key " << j << " of " << n.nq << " x " << n.nk << ", visited "
            << times;
      }
    }
  }
  EXPECT_GT(within, 350);
  EXPECT_GT(live, 100000);
}

std::string planOf(const Mask &mask, TileShape tile) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printPlan(makePlan(mask, tile, {}), os);
  return text;
}

/// Longformer with listed tokens: a window's tiles are what they are, and all
/// others are visited where one is listed.
TEST(ListedPlanTest, TilesBesideAWindowAreVisitedWhereTokensAreListed) {
  Mask window = Mask::slidingWindow(64, 64);
  std::string text = planOf(Mask::unionOf({window, Mask::listed()}), {16, 16});
  std::string alone = planOf(window, {16, 16});
  EXPECT_NE(text.find(" within listed\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  full"), std::string::npos) << text;
  EXPECT_EQ(text.find("heavy"), std::string::npos) << text;
  std::string rows =
      planOf(Mask::unionOf({window, Mask::listed(Direction::Rows)}), {16, 16});
  EXPECT_NE(rows.find(" within listed rows\n"), std::string::npos) << rows;
}

TEST(ListedPlanTest, RandomBlocksBesideDocumentsAreVisited) {
  Mask::RandomOptions options;
  options.block = 16;
  Mask mask = Mask::unionOf({Mask::document(), Mask::random(options)});
  EXPECT_EQ(makePlan(mask, {16, 16}, {}).classes.front().draws.size(), 1u);
}

TEST(ListedPlanTest, ListedTokensAreNoLossAndTheirComplementIsOne) {
  llvm::SmallVector<PlanLoss> losses;
  Plan plan = makePlan(Mask::listed(), {16, 16}, {}, &losses);
  EXPECT_TRUE(losses.empty());
  EXPECT_TRUE(plan.readsListed());
  EXPECT_FALSE(plan.readsDocuments());
  plan = makePlan(Mask::complementOf(Mask::listed(Direction::Columns)),
                  {16, 16}, {}, &losses);
  EXPECT_FALSE(plan.readsListed());
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_EQ(losses.front().leaf, "listed(columns)");
}

/// Where nothing is known, no token is listed.
TEST(ListedPlanTest, TilesAreCountedAsIfNoneWereListed) {
  LengthFacts facts;
  facts.nq = facts.nk = 256;
  Lengths n{256, 256};
  Mask window = Mask::slidingWindow(16, 16);
  Plan plan =
      makePlan(Mask::unionOf({window, Mask::listed()}), {16, 16}, facts);
  Plan alone = makePlan(window, {16, 16}, facts);
  EXPECT_EQ(countVisitedPairs(plan, n, 0), countVisitedPairs(alone, n, 0));
  EXPECT_EQ(countTiles(plan, n, 0).full, countTiles(alone, n, 0).full);
  EXPECT_EQ(visitedTiles(plan.classes[0], plan.tile, n, 0, 3).size(),
            visitedTiles(alone.classes[0], alone.tile, n, 0, 3).size());
}

} // namespace
