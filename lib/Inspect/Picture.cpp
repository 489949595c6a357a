//===- Picture.cpp - A mask or a plan to look at --------------------------===//

#include "SparseAttn/Inspect/Picture.h"
#include "SparseAttn/Plan/Plan.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

static Picture makeGrid(const Lengths &lengths, int64_t head,
                        int64_t maxCells) {
  Picture picture;
  picture.lengths = lengths;
  picture.head = head;
  int64_t longest = std::max<int64_t>({lengths.nq, lengths.nk, 1});
  picture.cell = (longest + maxCells - 1) / maxCells;
  picture.rows = (lengths.nq + picture.cell - 1) / picture.cell;
  picture.columns = (lengths.nk + picture.cell - 1) / picture.cell;
  picture.states.assign(picture.rows * picture.columns, TileState::Empty);
  return picture;
}

/// The queries or keys of cell `index` along a side of `length`.
static Range cellRange(const Picture &picture, int64_t index, int64_t length) {
  return Range{index * picture.cell, (index + 1) * picture.cell}.intersect(
      {0, length});
}

static double divide(double part, const Lengths &n) {
  double all = static_cast<double>(n.nq) * static_cast<double>(n.nk);
  return all == 0 ? 0 : part / all;
}

Picture inspection::makePicture(const Mask &mask, const Lengths &lengths,
                                int64_t head, int64_t maxCells) {
  Picture picture = makeGrid(lengths, head, maxCells);
  for (int64_t r = 0; r < picture.rows; ++r) {
    Range rows = cellRange(picture, r, lengths.nq);
    rows.begin += lengths.firstQuery();
    rows.end += lengths.firstQuery();
    for (int64_t c = 0; c < picture.columns; ++c)
      picture.states[r * picture.columns + c] = classifyTile(
          mask, lengths, head, rows, cellRange(picture, c, lengths.nk));
  }
  picture.density =
      divide(static_cast<double>(countLivePairs(mask, lengths, head)), lengths);
  return picture;
}

namespace {
/// The query rows of one query tile that its class owns, and what it visits.
struct TileRow {
  Range rows;
  IntervalSet visited, full;
};
} // namespace

/// All query tiles of `plan`, less the rows that a later class computes.
static std::vector<TileRow> listTileRows(const Plan &plan, const Lengths &n,
                                         int64_t head) {
  std::vector<TileRow> result;
  IntervalSet taken;
  for (const RowClass &cls : llvm::reverse(plan.classes)) {
    Range owned =
        Range{cls.rowBegin.evaluate(0, n), cls.rowEnd.evaluate(0, n)}.intersect(
            {0, n.nq});
    for (int64_t q = 0, e = cls.numQueryTiles(plan.tile, n); q < e; ++q) {
      llvm::SmallVector<Range> visited, full;
      for (VisitedTile tile : visitedTiles(cls, plan.tile, n, head, q)) {
        Range keys = Range{tile.keyTile * plan.tile.keys,
                           (tile.keyTile + 1) * plan.tile.keys}
                         .intersect({0, n.nk});
        visited.push_back(keys);
        if (tile.full)
          full.push_back(keys);
      }
      TileRow tileRow{{},
                      IntervalSet::fromRanges(std::move(visited)),
                      IntervalSet::fromRanges(std::move(full))};
      int64_t begin = owned.begin + q * plan.tile.queries;
      Range rows = Range{begin, begin + plan.tile.queries}.intersect(owned);
      IntervalSet remaining = taken.complementIn(rows);
      for (Range free : remaining.ranges()) {
        tileRow.rows = free;
        result.push_back(tileRow);
      }
    }
    taken = taken.unite(owned);
  }
  return result;
}

Picture inspection::makePicture(const Plan &plan, const Lengths &lengths,
                                int64_t head, int64_t maxCells) {
  Picture picture = makeGrid(lengths, head, maxCells);
  picture.showsPlan = true;
  IntervalSet allKeys(Range{0, lengths.nk});
  std::vector<IntervalSet> visited(picture.rows), full(picture.rows, allKeys);
  double computed = 0;
  for (const TileRow &tileRow : listTileRows(plan, lengths, head)) {
    computed += static_cast<double>(tileRow.rows.size()) *
                static_cast<double>(tileRow.visited.size());
    int64_t last = (tileRow.rows.end - 1) / picture.cell;
    for (int64_t r = tileRow.rows.begin / picture.cell; r <= last; ++r) {
      visited[r] = visited[r].unite(tileRow.visited);
      full[r] = full[r].intersect(tileRow.full);
    }
  }
  picture.density = divide(computed, lengths);
  for (int64_t r = 0; r < picture.rows; ++r)
    for (int64_t c = 0; c < picture.columns; ++c) {
      Range keys = cellRange(picture, c, lengths.nk);
      TileState &state = picture.states[r * picture.columns + c];
      if (full[r].covers(keys))
        state = TileState::Full;
      else if (!visited[r].intersect(keys).empty())
        state = TileState::Partial;
    }
  return picture;
}
