// Every answer of a mask against brute force over `contains`, on random masks
// from the whole algebra.

#include "FuzzOptions.h"
#include "PieceOracle.h"
#include "RandomMask.h"
#include <gtest/gtest.h>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::test;

namespace {

/// A mask at fixed lengths and head as a table of flags.
class Table {
public:
  Table(const Mask &mask, const Lengths &n, int64_t head)
      : n(n), live(n.nq * n.nk) {
    for (int64_t i = n.firstQuery(); i < n.nk; ++i)
      for (int64_t j = 0; j < n.nk; ++j)
        live[index(i, j)] = mask.contains(n, head, i, j);
  }

  bool at(int64_t i, int64_t j) const { return live[index(i, j)]; }

  /// The number of live pairs in a tile that lies inside the table.
  int64_t count(Range rows, Range keys) const {
    int64_t sum = 0;
    for (int64_t i = rows.begin; i < rows.end; ++i)
      for (int64_t j = keys.begin; j < keys.end; ++j)
        sum += at(i, j);
    return sum;
  }

private:
  size_t index(int64_t i, int64_t j) const {
    return (i - n.firstQuery()) * n.nk + j;
  }
  Lengths n;
  std::vector<char> live;
};

class FuzzCase {
public:
  FuzzCase(std::mt19937_64 &rng, Mask mask, const Lengths &n)
      : rng(rng), mask(std::move(mask)), n(n), head(pick(rng, 0, 5)),
        rows{n.firstQuery(), n.nk}, keys{0, n.nk}, table(this->mask, n, head) {}

  std::string describe() const {
    return toString(mask) + " Sq=" + std::to_string(n.nq) +
           " Sk=" + std::to_string(n.nk) + " head=" + std::to_string(head);
  }

  bool check() {
    return checkRows() && checkPieces() && checkTiles() && checkRowRanges() &&
           checkCounts() && checkTranspose() && checkHeads();
  }

private:
  bool fail(const char *what, int64_t i, int64_t j) const {
    ADD_FAILURE() << what << " differs from contains at i=" << i << " j=" << j
                  << ": " << describe();
    return false;
  }

  int64_t randomKey() { return pick(rng, 0, n.nk - 1); }

  /// Possibly empty, possibly beyond the sequence.
  Range randomRange(Range inside) {
    int64_t begin = pick(rng, inside.begin - 3, inside.end);
    return {begin, begin + pick(rng, 0, flip(rng) ? 6 : inside.size() + 6)};
  }

  bool checkRows() {
    for (int64_t i = rows.begin; i < rows.end; ++i) {
      IntervalSet all = mask.liveKeys(n, head, i, keys);
      for (int64_t j = 0; j < n.nk; ++j)
        if (all.covers({j, j + 1}) != table.at(i, j))
          return fail("liveKeys", i, j);
      Range part = randomRange(keys);
      if (mask.liveKeys(n, head, i, part) !=
          all.intersect(part.intersect(keys)))
        return fail("liveKeys of a part", i, part.begin);
    }
    return true;
  }

  bool checkPieces() {
    for (bool negated : {false, true}) {
      std::optional<Pieces> pieces = mask.getNode().pieces(negated, 64);
      if (!pieces)
        continue;
      if (pieces->size() > 64 ||
          (pieces->size() &&
           mask.getNode().pieces(negated, pieces->size() - 1)))
        return fail("maxPieces", 0, 0);
      for (int64_t i = rows.begin; i < rows.end; ++i)
        for (int64_t j = 0; j < n.nk; ++j)
          if (holdsLiterally(*pieces, n, head, i, j) !=
              (table.at(i, j) != negated))
            return fail(negated ? "pieces of the complement" : "pieces", i, j);
    }
    return true;
  }

  bool checkTiles() {
    for (int k = 0; k < 24; ++k) {
      Range tileRows = randomRange(rows), tileKeys = randomRange(keys);
      Range r = tileRows.intersect(rows), c = tileKeys.intersect(keys);
      int64_t live = table.count(r, c);
      TileState expected = live == 0                     ? TileState::Empty
                           : live == r.size() * c.size() ? TileState::Full
                                                         : TileState::Partial;
      if (classifyTile(mask, n, head, tileRows, tileKeys) != expected)
        return fail("classifyTile", tileRows.begin, tileKeys.begin);
    }
    return true;
  }

  bool checkRowRanges() {
    for (int k = 0; k < 4; ++k) {
      Range some = k ? randomRange(rows) : rows;
      IntervalSet live = liveKeysOfRows(mask, n, head, some);
      if (!live.empty() && !keys.contains(live.ranges().back().end - 1))
        return fail("liveKeysOfRows beyond N", 0, 0);
      for (int64_t j = 0; j < n.nk; ++j)
        if (live.covers({j, j + 1}) !=
            (table.count(some.intersect(rows), {j, j + 1}) > 0))
          return fail("liveKeysOfRows", some.begin, j);
    }
    return true;
  }

  bool checkCounts() {
    if (countLivePairs(mask, n, head) != uint64_t(table.count(rows, keys)))
      return fail("countLivePairs", 0, 0);
    Range some = randomRange(rows);
    if (countLivePairs(mask, n, head, some) !=
        uint64_t(table.count(some.intersect(rows), keys)))
      return fail("countLivePairs of rows", some.begin, some.end);
    return true;
  }

  bool checkTranspose() {
    Mask transposed = mask.transpose(), twice = transposed.transpose();
    for (int k = 0; k < 40; ++k) {
      int64_t i = pick(rng, rows.begin, rows.end - 1), j = randomKey();
      if (transposed.contains(n, head, i, j) != mask.contains(n, head, j, i))
        return fail("transpose", i, j);
      if (twice.contains(n, head, i, j) != table.at(i, j))
        return fail("transpose of transpose", i, j);
    }
    int64_t i = pick(rng, rows.begin, rows.end - 1);
    IntervalSet live = transposed.liveKeys(n, head, i, keys);
    std::optional<Pieces> pieces = transposed.pieces();
    for (int64_t j = 0; j < n.nk; ++j) {
      bool expected = transposed.contains(n, head, i, j);
      if (live.covers({j, j + 1}) != expected)
        return fail("liveKeys of transpose", i, j);
      if (pieces && holdsLiterally(*pieces, n, head, i, j) != expected)
        return fail("pieces of transpose", i, j);
    }
    if (countLivePairs(transposed, n, head, {i, i + 1}) !=
        uint64_t(live.size()))
      return fail("countLivePairs of transpose", i, 0);
    return true;
  }

  bool checkHeads() {
    if (!mask.isHeadInvariant())
      return true;
    for (int k = 0; k < 10; ++k) {
      int64_t i = pick(rng, rows.begin, rows.end - 1), j = randomKey();
      if (mask.contains(n, head + 1, i, j) != table.at(i, j))
        return fail("isHeadInvariant", i, j);
    }
    return true;
  }

  std::mt19937_64 &rng;
  Mask mask;
  Lengths n;
  int64_t head;
  Range rows, keys;
  Table table;
};

TEST(MaskFuzz, EveryAnswerEqualsBruteForce) {
  int cases = fuzzCases(5000), closed = 0;
  for (int seed = 0; seed < cases; ++seed) {
    std::mt19937_64 rng(seed);
    Mask mask = randomMask(rng, seed % 5, /*allowOpaque=*/seed % 2);
    FuzzCase fuzz(rng, mask, randomLengths(rng, seed % 50 ? 24 : 60));
    ASSERT_TRUE(fuzz.check()) << "seed " << seed;
    closed += mask.pieces().has_value();
  }
  // The normal form is for nearly all masks, else all of this proves little.
  EXPECT_GE(closed, cases * 95 / 100);
}

} // namespace
