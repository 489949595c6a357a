//===- TableBounds.cpp - Live pairs of a table's partial tiles ------------===//

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
  return joined;
}

namespace {
/// The intervals of all rows, rows with the same ones together.
struct RowIntervals {
  Range rows;
  SmallVector<Range> intervals;
};
} // namespace

/// Those of one query tile, behind `all`.
static void addTile(ArrayRef<RowGroup> groups, const TileTable &table,
                    int64_t keys, int64_t q, std::vector<RowIntervals> &all) {
  SmallVector<Range> ranges;
  for (int64_t start : table.partialOf(q))
    ranges.push_back({start, start + keys});
  IntervalSet tiles = IntervalSet::fromRanges(std::move(ranges));
  Range rows = table.rowsOf(q);
  const RowGroup *group =
      llvm::partition_point(groups, [&](const RowGroup &other) {
        return other.rows.end <= rows.begin;
      });
  for (; group != groups.end() && group->rows.begin < rows.end; ++group)
    all.push_back({group->rows.intersect(rows),
                   joinWithin(group->keys.intersect(tiles), tiles)});
}

static bool areSame(ArrayRef<RowIntervals> rows) {
  return llvm::all_of(rows, [&](const RowIntervals &other) {
    return other.intervals == rows.front().intervals;
  });
}

std::optional<TableBounds> plan::findTableBounds(const Mask &mask,
                                                 const TileTable &table,
                                                 TileShape tile,
                                                 const Lengths &n) {
  std::optional<std::vector<RowGroup>> groups = findRowGroups(mask, n);
  if (!groups)
    return std::nullopt;
  std::vector<RowIntervals> all;
  SmallVector<size_t> firsts;
  for (int64_t q = 0; q < table.numQueryTiles(); ++q) {
    firsts.push_back(all.size());
    addTile(*groups, table, tile.keys, q, all);
  }
  firsts.push_back(all.size());
  TableBounds bounds;
  bounds.isOfTiles = true;
  size_t count = 0;
  for (size_t q = 0; q + 1 < firsts.size(); ++q)
    bounds.isOfTiles &=
        areSame(ArrayRef(all).slice(firsts[q], firsts[q + 1] - firsts[q]));
  for (const RowIntervals &rows : all)
    count = std::max(count, rows.intervals.size());
  if (count > maxIntervals)
    return std::nullopt;
  bounds.low.resize(count);
  bounds.high.resize(count);
  auto add = [&](const RowIntervals &rows, int64_t times) {
    for (size_t k = 0; k < count; ++k) {
      Range range = k < rows.intervals.size() ? rows.intervals[k] : Range();
      bounds.low[k].insert(bounds.low[k].end(), times, range.begin);
      bounds.high[k].insert(bounds.high[k].end(), times, range.end);
    }
  };
  if (bounds.isOfTiles) {
    for (size_t first : ArrayRef(firsts).drop_back())
      add(all[first], 1);
  } else {
    for (const RowIntervals &rows : all)
      add(rows, rows.rows.size());
  }
  return bounds;
}
