//===- TileTableTest.cpp - Plans in tiles of tables -----------------------===//

#include "SparseAttn/Plan/TileTable.h"
#include "FuzzOptions.h"
#include "RandomPlans.h"
#include "SparseAttn/Plan/TableBounds.h"
#include "SparseAttn/Plan/TablePlan.h"
#include "gtest/gtest.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::plan_test;
using namespace mlir::sparse_attn::test;

namespace {

/// Documents next to each other, of `length` positions each but for some more
/// in every other one.
Mask documents(int64_t count, int64_t length, int64_t more) {
  llvm::SmallVector<Mask> members;
  int64_t begin = 0;
  for (int64_t k = 0; k < count; ++k) {
    int64_t end = begin + length + (k % 2 ? more : 0);
    members.push_back(rectangle({begin, end}, {begin, end}));
    begin = end;
  }
  return Mask::unionOf(members);
}

/// A plan that has a table at these lengths.
Plan tablePlan(const Mask &mask, TileShape tile, const Lengths &n) {
  Plan plan = makeAnyPlan(mask, tile, known(n.nq, n.nk));
  EXPECT_TRUE(plan.hasTables()) << describe(mask, plan, n);
  return plan;
}

TEST(TileTableTest, DocumentsAreCutAtTheirBegins) {
  Mask mask = documents(/*count=*/64, /*length=*/200, /*more=*/40);
  Lengths n = {64 * 220, 64 * 220};
  Plan plan = tablePlan(mask, {64, 64}, n);
  ASSERT_EQ(plan.classes.size(), 1u);
  const TileTable &table = plan.classes[0].table;
  EXPECT_EQ(table.findProblem(plan.tile), "");
  // Three whole query tiles, one of what is left, and so on.
  EXPECT_EQ(table.numQueryTiles(), 64 * 4);
  EXPECT_EQ(table.cuts[4], 200);
  EXPECT_EQ(table.cuts[8], 440);
  EXPECT_EQ(table.fullOf(4), (llvm::ArrayRef<int64_t>{200, 264, 328}));
  EXPECT_EQ(table.partialOf(4), (llvm::ArrayRef<int64_t>{392}));
  // Each row visits its keys in whole tiles, of which the last ends with Sk.
  EXPECT_EQ(countVisitedPairs(plan, n, 0), uint64_t(64 * 220 * 256 - 240 * 16));
}

TEST(TileTableTest, SmallDocumentsShareTiles) {
  Mask mask = documents(/*count=*/80, /*length=*/4, /*more=*/0);
  Plan plan = tablePlan(mask, {64, 64}, {320, 320});
  EXPECT_EQ(plan.classes[0].table.numQueryTiles(), 5);
  EXPECT_EQ(plan.classes[0].table.starts.size(), 5u);
}

TEST(TileTableTest, ClosedFormsStayWhereTheyVisitLittleMore) {
  // Too many segments, but the hull of the rows is nearly all of the tiles.
  Mask mask = Mask::complementOf(documents(64, 2, 0));
  EXPECT_FALSE(makeAnyPlan(mask, {8, 8}, known(200, 200)).hasTables());
  // Lengths that are not known.
  mask = documents(64, 20, 4);
  for (auto facts : {LengthFacts(), known(1400, 1400)}) {
    llvm::SmallVector<PlanLoss> losses;
    Plan plan = makeAnyPlan(mask, {16, 16}, facts, &losses);
    EXPECT_EQ(plan.hasTables(), facts.nk.has_value());
    EXPECT_EQ(losses.empty(), facts.nk.has_value());
  }
}

TEST(TileTableTest, AnotherTileIsTakenWhereItSavesATenth) {
  auto tileFor = [](int64_t length, double pairCost) {
    Mask mask = documents(/*count=*/80, length, /*more=*/7);
    int64_t sum = 80 * length + 40 * 7;
    LengthFacts facts = known(sum, sum);
    llvm::SmallVector<PlanLoss> losses;
    Plan closed = makePlan(mask, {128, 64}, facts, &losses);
    target::TableTile smaller = {
        /*headDim=*/64, /*elementBytes=*/2, {32, 32}, pairCost};
    std::optional<Plan> plan =
        makeTablePlan(mask, closed, facts, losses, smaller);
    EXPECT_TRUE(plan);
    EXPECT_EQ(plan->classes[0].table.findProblem(plan->tile), "");
    return plan->tile.queries;
  };
  EXPECT_EQ(tileFor(/*length=*/30, /*pairCost=*/1.5), 32);
  EXPECT_EQ(tileFor(/*length=*/30, /*pairCost=*/3), 128);
  EXPECT_EQ(tileFor(/*length=*/512, /*pairCost=*/1.5), 128);
}

TEST(TileTableTest, TablesAreNoLongerThanTheyMayBe) {
  llvm::SmallVector<PlanLoss> losses;
  Mask mask = Mask::unionOf({documents(64, 20, 4), Mask::prefix(1)});
  int64_t n = int64_t(1) << 21;
  Plan plan = makeAnyPlan(mask, {1, 1}, known(n, n), &losses);
  EXPECT_FALSE(plan.hasTables());
  ASSERT_FALSE(losses.empty());
  EXPECT_NE(describe(losses[0]).find("would have more than 1048576 entries"),
            std::string::npos)
      << describe(losses[0]);
}

TEST(TileTableTest, TellsWhatIsWrong) {
  TileTable table;
  table.append(0, 4, {0}, {8, 16});
  EXPECT_EQ(table.findProblem({4, 8}), "");
  auto problem = [&](int64_t end, llvm::ArrayRef<int64_t> partial,
                     llvm::ArrayRef<int64_t> full) {
    TileTable broken = table;
    broken.append(0, end, partial, full);
    return broken.findProblem({4, 8});
  };
  EXPECT_EQ(problem(8, {0, 8}, {16}), "");
  EXPECT_EQ(problem(4, {}, {}),
            "query tile 1 of a table has rows 4 to 4, which are none");
  EXPECT_EQ(problem(9, {}, {}), "query tile 1 of a table has rows 4 to 9, "
                                "which are 5; a tile has 4");
  EXPECT_EQ(problem(8, {-1}, {}),
            "entry 0 of a list of query tile 1 must be from 0 to 1073741824, "
            "got -1");
  EXPECT_EQ(problem(8, {}, {8, 0}), "entry 1 of a list of query tile 1, 0, is "
                                    "not behind 8; key tiles are sorted");
  EXPECT_EQ(problem(8, {4}, {8}),
            "key tiles 4 and 8 of query tile 1 overlap; each has 8 keys");
}

TEST(TileTableTest, LongTablesAreAbbreviatedForPeople) {
  Plan plan = tablePlan(documents(64, 20, 4), {8, 8}, {1408, 1408});
  std::string text = textOf(plan);
  EXPECT_NE(text.find("rows 0 to 1408, table\n  tile <0 to 8, partial = [16], "
                      "full = [0, 8]>\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  and 184 more query tiles; all 192 have 96 partial "
                      "and 480 full key tiles\n"),
            std::string::npos)
      << text;
}

/// Of a random mask that is long, mostly.
struct Case {
  Mask mask;
  Lengths n;
  Plan plan;
};

Case randomCase(Rng &rng) {
  int64_t longest = pick(rng, 20, 200);
  Mask mask = randomPatches(rng, pick(rng, 20, 90), longest);
  Lengths n = randomLengths(rng, longest);
  if (pick(rng, 0, 1))
    n = {longest, longest};
  return {mask, n, makeAnyPlan(mask, randomTile(rng), known(n.nq, n.nk))};
}

TEST(TileTableTest, EveryLivePairIsVisitedOnceAndFullTilesAreFull) {
  Rng rng(71);
  int tables = 0, cases = fuzzCases(400);
  for (int k = 0; k < cases; ++k) {
    auto [mask, n, plan] = randomCase(rng);
    tables += plan.hasTables();
    ASSERT_EQ(findViolation(mask, plan, n, 1), "") << describe(mask, plan, n);
  }
  EXPECT_GT(tables, cases / 10);
}

TEST(TileTableTest, TilesAreCountedAsVisited) {
  Rng rng(72);
  for (int k = 0, e = fuzzCases(200); k < e; ++k) {
    auto [mask, n, plan] = randomCase(rng);
    if (!plan.hasTables())
      continue;
    const RowClass &cls = plan.classes[0];
    uint64_t pairs = 0;
    TileCounts expected;
    for (int64_t q = 0; q < cls.numQueryTiles(plan.tile, n); ++q)
      for (VisitedTile tile : visitedTiles(cls, plan.tile, n, 0, q)) {
        ++(tile.full ? expected.full : expected.partial);
        pairs += Range{tile.keyTile, tile.keyTile + plan.tile.keys}
                     .intersect({0, n.nk})
                     .size() *
                 cls.table.rowsOf(q).size();
      }
    TileCounts counts = countTiles(plan, n, 0);
    ASSERT_EQ(counts.full, expected.full);
    ASSERT_EQ(counts.partial, expected.partial);
    ASSERT_EQ(countVisitedPairs(plan, n, 0), pairs);
  }
}

bool hasSlants(const TableBounds &bounds) {
  return llvm::any_of(bounds.intervals, [](const TableBounds::Interval &some) {
    return !some.low.slanted.empty() || !some.high.slanted.empty();
  });
}

/// Windows inside of documents, whose bounds move with the row.
Case windowedCase(Rng &rng) {
  constexpr int64_t count = 66;
  int64_t length = 8 * pick(rng, 2, 4);
  Mask window = Mask::slidingWindow(pick(rng, 3, 20), pick(rng, 0, 5));
  Mask mask =
      Mask::intersectionOf({window, documents(count, length, /*more=*/0)});
  Lengths n = {count * length, count * length};
  return {mask, n, makeAnyPlan(mask, {8, 8}, known(n.nq, n.nk))};
}

/// Nothing where the plan has no table.
std::optional<TableBounds> boundsOf(const Case &some) {
  if (!some.plan.hasTables())
    return std::nullopt;
  return findTableBounds(some.mask, some.plan.classes[0].table, some.plan.tile,
                         some.n);
}

TEST(TileTableTest, BoundsTellTheLivePairsOfPartialTiles) {
  Rng rng(73);
  int told = 0, ofTiles = 0, slanted = 0;
  for (int k = 0, e = fuzzCases(400); k < e; ++k) {
    auto [mask, n, plan] = k % 20 == 0 ? windowedCase(rng) : randomCase(rng);
    std::optional<TableBounds> bounds = boundsOf({mask, n, plan});
    if (!bounds)
      continue;
    const TileTable &table = plan.classes[0].table;
    ++told;
    ofTiles += bounds->isOfTiles;
    slanted += hasSlants(*bounds);
    for (int64_t q = 0; q < table.numQueryTiles(); ++q)
      for (int64_t row = table.cuts[q]; row < table.cuts[q + 1]; ++row)
        for (int64_t start : table.partialOf(q))
          for (int64_t j = start; j < start + plan.tile.keys; ++j) {
            bool isTold = false;
            for (size_t i = 0; i < bounds->intervals.size(); ++i)
              isTold |= bounds->at(i, q, row).contains(j);
            bool isLive =
                j < n.nk && mask.contains(n, 0, row + n.firstQuery(), j);
            ASSERT_EQ(isTold, isLive) << row << " " << j << "\n"
                                      << describe(mask, plan, n);
          }
  }
  EXPECT_GT(told, fuzzCases(400) / 20);
  EXPECT_GE(ofTiles, slanted);
  EXPECT_GT(slanted, 0);
}

TEST(TileTableTest, BoundsOfDocumentsAreOfTiles) {
  // Of a multiple of the tile, so that no query tile has rows of two of them.
  Mask rows = documents(/*count=*/70, /*length=*/128, /*more=*/0);
  Lengths n = {70 * 128, 70 * 128};
  auto boundsOf = [&](const Mask &mask) {
    Plan plan = tablePlan(mask, {64, 64}, n);
    return findTableBounds(mask, plan.classes[0].table, plan.tile, n).value();
  };
  TableBounds whole = boundsOf(rows);
  EXPECT_TRUE(whole.isOfTiles);
  EXPECT_FALSE(hasSlants(whole));
  TableBounds causal = boundsOf(Mask::intersectionOf({Mask::causal(), rows}));
  ASSERT_TRUE(causal.isOfTiles);
  ASSERT_EQ(causal.intervals.size(), 1u);
  EXPECT_TRUE(causal.intervals[0].low.slanted.empty());
  EXPECT_FALSE(causal.intervals[0].high.slanted.empty());
  TableBounds windows = boundsOf(Mask::intersectionOf(
      {Mask::slidingWindow(/*left=*/30, /*right=*/7), rows}));
  ASSERT_TRUE(windows.isOfTiles);
  EXPECT_FALSE(windows.intervals[0].low.slanted.empty());
  EXPECT_FALSE(windows.intervals[0].high.slanted.empty());
}

TEST(TileTableTest, ReachIsOfRowsWithLiveAndWithAllPairs) {
  Rng rng(74);
  int full = 0, some = 0;
  for (int k = 0, e = fuzzCases(300); k < e; ++k) {
    auto [mask, n, plan] = randomCase(rng);
    std::optional<TableBounds> bounds = boundsOf({mask, n, plan});
    if (!bounds)
      continue;
    const TileTable &table = plan.classes[0].table;
    ASSERT_EQ(bounds->reach.size(), table.starts.size());
    for (int64_t q = 0; q < table.numQueryTiles(); ++q)
      for (auto [t, start] : llvm::enumerate(table.partialOf(q))) {
        auto [live, whole] = bounds->reach[table.offsets[2 * q] + t];
        Range rows = table.rowsOf(q);
        full += !whole.empty();
        some += live.size() < rows.size();
        for (int64_t row = rows.begin; row < rows.end; ++row) {
          int64_t count = 0;
          for (int64_t j = start; j < std::min(start + plan.tile.keys, n.nk);
               ++j)
            count += mask.contains(n, 0, row + n.firstQuery(), j);
          int64_t r = row - rows.begin;
          ASSERT_TRUE(count == 0 || live.contains(r)) << row << " " << start;
          ASSERT_TRUE(count == plan.tile.keys || !whole.contains(r))
              << row << " " << start << "\n"
              << describe(mask, plan, n);
          ASSERT_TRUE(count > 0 || (r != live.begin && r != live.end - 1) ||
                      live.empty());
        }
      }
  }
  EXPECT_GT(full, 0);
  EXPECT_GT(some, 0);
}

} // namespace
