//===- DocumentPlanTest.cpp - Plans of masks that read documents ----------===//
//
// What documents leave of a plan's tiles, by brute force at small lengths:
// every live pair is computed once, and full tiles are full.
//
//===----------------------------------------------------------------------===//

#include "PlanOracle.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::plan_test;

namespace {

/// Ids of documents of a few tokens: in order, backwards, shuffled, with tokens
/// of none, or without any order.
std::vector<int32_t> randomIds(std::mt19937_64 &rng, int64_t length) {
  std::vector<int32_t> ids;
  int32_t id = 0, kind = int32_t(rng() % 5);
  while (int64_t(ids.size()) < length) {
    int32_t shown = kind == 1 ? 1000 - id : kind == 2 ? id * 37 % 101 : id;
    ids.insert(ids.end(), 1 + rng() % 30, shown);
    ++id;
  }
  ids.resize(length);
  if (kind == 3)
    for (int32_t &one : ids)
      if (rng() % 6 == 0)
        one = -1;
  if (kind == 4)
    for (int32_t &one : ids)
      one = int32_t(rng() % 4) - 1;
  return ids;
}

Mask randomMask(std::mt19937_64 &rng) {
  Mask document = Mask::document();
  Mask a = randomPlanMask(rng, 1, /*allowOpaque=*/false),
       b = randomPlanMask(rng, 1, /*allowOpaque=*/false);
  switch (rng() % 6) {
  case 0:
    return document;
  case 1:
    return Mask::intersectionOf({document, a});
  case 2:
    return Mask::unionOf({Mask::intersectionOf({document, a}), b});
  case 3:
    return Mask::unionOf({document, a});
  case 4:
    return Mask::intersectionOf({Mask::unionOf({document, a}), b});
  default:
    return Mask::intersectionOf({Mask::complementOf(document), a});
  }
}

/// Ids of some positions: the least and the greatest that are one, and whether
/// all positions have the same.
struct Ids {
  int32_t least = std::numeric_limits<int32_t>::max(), greatest = -1;
  bool haveCommon = true;

  Ids(llvm::ArrayRef<int32_t> ids, int64_t begin, int64_t end) {
    for (int64_t x = begin; x < end; ++x) {
      int32_t id = x >= 0 && x < int64_t(ids.size()) ? ids[x] : -1;
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
  llvm::ArrayRef<int32_t> ids = n.data->documents;
  Range slots = cls.rowSlots(q, tile, n);
  Ids rows(ids, slots.begin + n.firstQuery(), slots.end + n.firstQuery());
  int64_t kt = j / tile.keys;
  Ids keys(ids, kt * tile.keys, (kt + 1) * tile.keys);
  int times = 0;
  for (const Segment &segment : cls.segments) {
    Range tiles = segment.keyTiles(q, n);
    if (kt < tiles.begin || kt >= tiles.end)
      continue;
    bool meets = keys.greatest >= rows.least && keys.least <= rows.greatest;
    bool areOne =
        rows.haveCommon && keys.haveCommon && rows.greatest == keys.greatest;
    if (segment.within.documents && !meets)
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

TEST(DocumentPlanTest, EveryLivePairIsVisitedOnceAndFullTilesAreFull) {
  std::mt19937_64 rng(41);
  int64_t within = 0, live = 0;
  for (int round = 0; round < 400; ++round) {
    int64_t nk = 1 + rng() % 150;
    std::vector<int32_t> ids = randomIds(rng, nk);
    SequenceData data{ids};
    Lengths n{rng() % 2 ? nk : 1 + int64_t(rng() % 150), nk, &data};
    Mask mask = randomMask(rng);
    LengthFacts facts;
    if (rng() % 2) {
      facts.nq = n.nq;
      facts.nk = n.nk;
    }
    TileShape tile{1 + int64_t(rng() % 20), 1 + int64_t(rng() % 20)};
    Plan plan = makePlan(mask, tile, facts);
    within += plan.readsDocuments();
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
  EXPECT_GT(within, 200);
  EXPECT_GT(live, 100000);
}

TEST(DocumentPlanTest, DocumentsAreNoLossAndTheirComplementIsOne) {
  llvm::SmallVector<PlanLoss> losses;
  Plan plan = makePlan(Mask::document(), {16, 16}, {}, &losses);
  EXPECT_TRUE(losses.empty());
  ASSERT_EQ(plan.classes.front().segments.size(), 2u);
  EXPECT_TRUE(plan.classes.front().segments.front().full);
  EXPECT_TRUE(plan.readsDocuments());
  plan = makePlan(Mask::complementOf(Mask::document()), {16, 16}, {}, &losses);
  EXPECT_FALSE(plan.readsDocuments());
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_EQ(losses.front().leaf, "document");
}

} // namespace
