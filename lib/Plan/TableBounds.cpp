//===- TableBounds.cpp - Live pairs of a table's partial tiles ------------===//
//
// Keys that lie in no partial tile of a query tile are asked for in none, so
// that intervals may have them or not. An end of an interval that stays where
// it is, that moves with the row, or that does first the one and then the other
// is told by two numbers: where it stays, and how far from the row it is.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Plan/TableBounds.h"
#include "RowGroups.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using llvm::ArrayRef;
using llvm::SmallVector;

/// A row has two numbers for each in registers.
static constexpr size_t maxIntervals = 4;

Range TableBounds::at(size_t k, int64_t q, int64_t r) const {
  const Interval &interval = intervals[k];
  int64_t place = isOfTiles ? q : r;
  Range range = {interval.low.fixed[place], interval.high.fixed[place]};
  if (!interval.low.slanted.empty())
    range.begin = std::max(range.begin, r + interval.low.slanted[q]);
  if (!interval.high.slanted.empty())
    range.end = std::min(range.end, r + interval.high.slanted[q]);
  return range;
}

//===----------------------------------------------------------------------===//
// Intervals of rows
//===----------------------------------------------------------------------===//

namespace {
/// Rows next to each other, counted from the first one of the table, whose
/// intervals are the same.
struct RowIntervals {
  Range rows;
  SmallVector<Range> intervals;
};

/// Those of a query tile, and the keys of its partial tiles.
struct TileIntervals {
  IntervalSet tiles;
  SmallVector<RowIntervals> rows;
};
} // namespace

/// As few intervals as are `live` among the keys of `tiles`: what lies between
/// two of them and in no tile is in both or in neither, as it likes.
static SmallVector<Range> joinWithin(const IntervalSet &live,
                                     const IntervalSet &tiles) {
  SmallVector<Range> joined;
  for (Range range : live.ranges()) {
    bool joins = !joined.empty() &&
                 tiles.intersect(Range{joined.back().end, range.begin}).empty();
    if (joins)
      joined.back().end = range.end;
    else
      joined.push_back(range);
  }
  llvm::erase_if(joined,
                 [&](Range range) { return tiles.intersect(range).empty(); });
  return joined;
}

static TileIntervals intervalsOf(ArrayRef<RowGroup> groups,
                                 const TileTable &table, int64_t keys,
                                 int64_t q) {
  SmallVector<Range> ranges;
  for (int64_t start : table.partialOf(q))
    ranges.push_back({start, start + keys});
  TileIntervals tile = {IntervalSet::fromRanges(std::move(ranges)), {}};
  Range rows = table.rowsOf(q);
  int64_t first = table.cuts.front();
  const RowGroup *group =
      llvm::partition_point(groups, [&](const RowGroup &other) {
        return other.rows.end <= rows.begin;
      });
  for (; group != groups.end() && group->rows.begin < rows.end; ++group) {
    Range some = group->rows.intersect(rows);
    tile.rows.push_back({{some.begin - first, some.end - first},
                         joinWithin(group->keys, tile.tiles)});
  }
  return tile;
}

static size_t countIntervals(ArrayRef<TileIntervals> tiles) {
  size_t count = 0;
  for (const TileIntervals &tile : tiles)
    for (const RowIntervals &rows : tile.rows)
      count = std::max(count, rows.intervals.size());
  return count;
}

static Range intervalOf(const RowIntervals &rows, size_t k) {
  return k < rows.intervals.size() ? rows.intervals[k] : Range();
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// Appends the numbers of a query tile for interval k. False where its rows
/// need more than these.
static bool append(const TileIntervals &tile, size_t k,
                   TableBounds::Interval &to) {
  auto hasOne = [&](const RowIntervals &rows) {
    return !intervalOf(rows, k).empty();
  };
  const RowIntervals *first = llvm::find_if(tile.rows, hasOne);
  // Row 0 of the table and keys before 0 are as good as any.
  Range low, high;
  Range rows = {tile.rows.front().rows.begin, tile.rows.back().rows.end - 1};
  if (first != tile.rows.end()) {
    const RowIntervals &last =
        *std::prev(llvm::find_if(llvm::reverse(tile.rows), hasOne).base());
    low = {intervalOf(*first, k).begin, intervalOf(last, k).begin};
    high = {intervalOf(*first, k).end, intervalOf(last, k).end};
    rows = {first->rows.begin, last.rows.end - 1};
  }
  to.low.fixed.push_back(low.begin);
  to.low.slanted.push_back(low.end - rows.end);
  to.high.fixed.push_back(high.end);
  to.high.slanted.push_back(high.begin - rows.begin);
  // Between the first and the last row of a group ends are between theirs.
  auto isTold = [&](const RowIntervals &some, int64_t r) {
    Range told = {std::max(to.low.fixed.back(), r + to.low.slanted.back()),
                  std::min(to.high.fixed.back(), r + to.high.slanted.back())};
    return tile.tiles.intersect(told) ==
           tile.tiles.intersect(intervalOf(some, k));
  };
  return llvm::all_of(tile.rows, [&](const RowIntervals &some) {
    return isTold(some, some.rows.begin) && isTold(some, some.rows.end - 1);
  });
}

/// The slants of ends that move in no query tile are left out.
static void dropIdleSlants(ArrayRef<TileIntervals> tiles,
                           TableBounds::Interval &interval) {
  auto moves = [&](const TableBounds::Ends &ends, bool isLow) {
    for (auto [q, tile] : llvm::enumerate(tiles)) {
      int64_t r =
          isLow ? tile.rows.back().rows.end - 1 : tile.rows.front().rows.begin;
      int64_t slanted = r + ends.slanted[q];
      if (isLow ? slanted > ends.fixed[q] : slanted < ends.fixed[q])
        return true;
    }
    return false;
  };
  if (!moves(interval.low, /*isLow=*/true))
    interval.low.slanted.clear();
  if (!moves(interval.high, /*isLow=*/false))
    interval.high.slanted.clear();
}

static std::optional<TableBounds> boundsOfTiles(ArrayRef<TileIntervals> tiles) {
  TableBounds bounds;
  bounds.isOfTiles = true;
  bounds.intervals.resize(countIntervals(tiles));
  for (auto [k, interval] : llvm::enumerate(bounds.intervals)) {
    for (const TileIntervals &tile : tiles)
      if (!append(tile, k, interval))
        return std::nullopt;
    dropIdleSlants(tiles, interval);
  }
  return bounds;
}

static TableBounds boundsOfRows(ArrayRef<TileIntervals> tiles) {
  TableBounds bounds;
  bounds.intervals.resize(countIntervals(tiles));
  for (auto [k, interval] : llvm::enumerate(bounds.intervals))
    for (const TileIntervals &tile : tiles)
      for (const RowIntervals &rows : tile.rows) {
        Range range = intervalOf(rows, k);
        std::vector<int64_t> &low = interval.low.fixed;
        std::vector<int64_t> &high = interval.high.fixed;
        low.insert(low.end(), rows.rows.size(), range.begin);
        high.insert(high.end(), rows.rows.size(), range.end);
      }
  return bounds;
}

/// What a partial key tile is to the rows of its query tile; of rows with all
/// pairs the first ones in a row that are the most.
static TableBounds::Reach reachOf(const TileIntervals &tile, Range keys) {
  TableBounds::Reach reach;
  int64_t first = tile.rows.front().rows.begin;
  Range run;
  for (const RowIntervals &some : tile.rows) {
    int64_t live = 0;
    for (Range interval : some.intervals)
      live += keys.intersect(interval).size();
    Range rows = {some.rows.begin - first, some.rows.end - first};
    if (live > 0)
      reach.live = {reach.live.empty() ? rows.begin : reach.live.begin,
                    rows.end};
    if (live < keys.size())
      continue;
    run = {run.end == rows.begin ? run.begin : rows.begin, rows.end};
    if (run.size() > reach.full.size())
      reach.full = run;
  }
  return reach;
}

static std::vector<TableBounds::Reach>
reachOfTiles(ArrayRef<TileIntervals> tiles, const TileTable &table,
             int64_t keys) {
  std::vector<TableBounds::Reach> reach(table.starts.size());
  for (auto [q, tile] : llvm::enumerate(tiles))
    for (auto [k, start] : llvm::enumerate(table.partialOf(q)))
      reach[table.offsets[2 * q] + k] = reachOf(tile, {start, start + keys});
  return reach;
}

std::optional<TableBounds> plan::findTableBounds(const Mask &mask,
                                                 const TileTable &table,
                                                 TileShape tile,
                                                 const Lengths &n) {
  std::optional<std::vector<RowGroup>> groups = findRowGroups(mask, n);
  if (!groups)
    return std::nullopt;
  std::vector<TileIntervals> tiles;
  for (int64_t q = 0; q < table.numQueryTiles(); ++q)
    tiles.push_back(intervalsOf(*groups, table, tile.keys, q));
  if (countIntervals(tiles) > maxIntervals)
    return std::nullopt;
  std::optional<TableBounds> bounds = boundsOfTiles(tiles);
  if (!bounds)
    bounds = boundsOfRows(tiles);
  bounds->reach = reachOfTiles(tiles, table, tile.keys);
  return bounds;
}
