//===- EmitReachTest.cpp - The rows that tiles reach, by brute force ------===//
//
// No row outside of what the code of random masks says, interpreted here, has a
// live pair in the tile.
//
//===----------------------------------------------------------------------===//

#include "ArithOracle.h"
#include "FuzzOptions.h"
#include "Mask/RandomMask.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Plan/RowReach.h"
#include "mlir/IR/MLIRContext.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::test;
using plan::TileShape;

namespace {

struct Rows {
  int64_t begin, end;
  bool contains(int64_t i) const { return begin <= i && i < end; }
};

class EmitReachTest : public ::testing::Test {
protected:
  EmitReachTest() { context.loadDialect<arith::ArithDialect>(); }

  /// The live rows of the tile of queries from `i` and keys from `j` on, and
  /// those that are full in `full`; none where the pieces leave out no row that
  /// code could tell.
  std::optional<Rows> rows(const mask::Pieces &pieces, Lengths n, int64_t i,
                           int64_t j, TileShape tile, Rows *full = nullptr) {
    OpBuilder b(&context);
    Block block;
    b.setInsertionPointToStart(&block);
    Location loc = b.getUnknownLoc();
    MaskPosition at;
    DenseMap<Value, int64_t> values;
    for (auto [value, number] :
         {std::pair{&at.i, i}, {&at.j, j}, {&at.n, n.nk}}) {
      *value = block.addArgument(b.getI32Type(), loc);
      values[*value] = number;
    }
    std::optional<RowReach> reach = emitReach(b, loc, pieces, at, tile);
    if (!reach)
      return std::nullopt;
    for (Operation &op : block)
      values[op.getResult(0)] = evaluateArith(op, values);
    auto range = [&](const RowSpan &rows) {
      return Rows{values.at(rows.begin), values.at(rows.end)};
    };
    if (full && reach->full.begin)
      *full = range(reach->full);
    return range(reach->live);
  }

  MLIRContext context;
};

TEST_F(EmitReachTest, NoOtherRowHasALivePairAndFullOnesHaveNoOther) {
  int narrowed = 0, filled = 0;
  for (int seed = 0, cases = fuzzCases(3000); seed < cases; ++seed) {
    std::mt19937_64 rng(seed);
    mask::Mask mask = randomMask(rng, seed % 5, /*allowOpaque=*/seed % 2);
    mask::Predicate predicate = makePredicate(mask);
    if (predicate.kind != mask::Predicate::Kind::Union)
      continue;
    for (int k = 0; k < 10; ++k) {
      Lengths n = randomLengths(rng, k < 2 ? 200 : 40);
      TileShape tile = {pick(rng, 1, 16), pick(rng, 1, 16)};
      int64_t first = n.firstQuery() +
                      pick(rng, 0, (n.nq - 1) / tile.queries) * tile.queries;
      int64_t key = pick(rng, 0, (n.nk - 1) / tile.keys) * tile.keys;
      Rows full = {0, 0};
      std::optional<Rows> reach =
          rows(predicate.pieces, n, first, key, tile, &full);
      // Whoever counts pairs without code says the same.
      std::optional<mask::Range> counted =
          plan::findLiveRows(predicate.pieces, n, first, key, tile);
      ASSERT_EQ(reach.has_value(), counted.has_value());
      if (!reach)
        continue;
      ASSERT_EQ(std::pair(reach->begin, reach->end),
                std::pair(counted->begin, counted->end));
      for (int64_t i = first; i < std::min(first + tile.queries, n.nk); ++i) {
        narrowed += !reach->contains(i);
        filled += full.contains(i);
        for (int64_t j = key; j < key + tile.keys; ++j) {
          bool live = j < n.nk && mask.contains(n, /*head=*/0, i, j);
          ASSERT_TRUE(live ? reach->contains(i) : !full.contains(i))
              << toString(mask) << " at " << i << ", " << j << " of " << n.nq
              << " x " << n.nk << ", seed " << seed;
        }
      }
    }
  }
  EXPECT_GT(narrowed, 100);
  EXPECT_GT(filled, 100);
}

/// A band leaves out each row that it can.
TEST_F(EmitReachTest, ABandReachesItsRowsAndNoOthers) {
  mask::Predicate window = makePredicate(mask::Mask::slidingWindow(20, 5));
  Lengths n = {100, 100};
  for (int64_t i : {0, 16, 32, 48, 64})
    for (int64_t j = 0; j < 100; j += 8) {
      Rows full = {0, 0};
      std::optional<Rows> reach = rows(window.pieces, n, i, j, {16, 8}, &full);
      ASSERT_TRUE(reach);
      for (int64_t row = i; row < i + 16; ++row) {
        EXPECT_EQ(reach->contains(row), row - 20 <= j + 7 && row + 5 >= j)
            << row << ", " << j;
        bool isWhole = row - 20 <= j && row + 5 >= j + 7 && j + 7 < n.nk;
        EXPECT_EQ(full.contains(row), isWhole) << row << ", " << j;
      }
    }
}

TEST_F(EmitReachTest, OfAUnionItIsTheRowsOfAllPieces) {
  using M = mask::Mask;
  mask::Predicate longformer =
      makePredicate(M::unionOf({M::slidingWindow(8, 8), M::global({0}, 0, 0)}));
  Lengths n = {256, 256};
  // The column of the global token is all rows', its row that of a tile.
  EXPECT_TRUE(rows(longformer.pieces, n, 64, 0, {16, 16})->contains(79));
  EXPECT_TRUE(rows(longformer.pieces, n, 0, 64, {16, 16})->contains(0));
  std::optional<Rows> edge = rows(longformer.pieces, n, 64, 80, {16, 16});
  EXPECT_FALSE(edge->contains(71));
  EXPECT_TRUE(edge->contains(72) && edge->contains(79));
}

TEST_F(EmitReachTest, NothingIsEmittedWhereNoRowIsLeftOut) {
  using M = mask::Mask;
  for (const M &mask : {M::full(), M::prefix(3), M::global({0, 5}, 0, 0),
                        M::unionOf({M::causal(), M::periodicColumns(8, 2)})})
    EXPECT_FALSE(rows(makePredicate(mask).pieces, {64, 64}, 0, 0, {16, 16}))
        << toString(mask);
}

/// Parameters beyond every position, and positions as large as they get.
TEST_F(EmitReachTest, NothingOverflows) {
  constexpr int64_t huge = int64_t(1) << 40, longest = mask::maxSequenceLength;
  using M = mask::Mask;
  Lengths n = {longest, longest};
  TileShape tile = {16, 16};
  for (const M &mask :
       {M::slidingWindow(huge, huge), M::slidingWindow(longest - 1, 0),
        M::slidingWindow(longest - 100, longest - 100),
        M::slidingWindow(longest / 2, longest / 3), M::chunked(longest),
        M::chunked(longest / 2), M::chunked(2 * longest)})
    for (int64_t i : {int64_t(0), longest / 2, longest - 16})
      for (int64_t j : {int64_t(0), longest / 2, longest - 16}) {
        Rows full = {0, 0};
        std::optional<Rows> reach =
            rows(makePredicate(mask).pieces, n, i, j, tile, &full);
        for (int64_t row : {i, i + 15})
          for (int64_t key : {j, j + 15})
            ASSERT_TRUE(!reach ||
                        (mask.contains(n, 0, row, key) ? reach->contains(row)
                                                       : !full.contains(row)))
                << toString(mask) << " at " << row << ", " << key;
      }
}

} // namespace
