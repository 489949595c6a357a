//===- ExhaustiveTables.cpp - Rows of query tiles in a table --------------===//
//
// The tiles of a table stand at any keys, so that keys take the place of tile
// numbers; what is to hold of them is the same.
//
//===----------------------------------------------------------------------===//

#include "RowProof.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

std::optional<Proof> RowProof::checkTableTile(unsigned classIndex,
                                              int64_t q) const {
  const TileTable &table = plan.classes[classIndex].table;
  int64_t keys = plan.tile.keys;
  Range rows = table.rowsOf(q);
  llvm::SmallVector<Range> visited, full;
  for (int64_t start : table.partialOf(q))
    visited.push_back({start, start + keys});
  for (int64_t start : table.fullOf(q)) {
    visited.push_back({start, start + keys});
    full.push_back(visited.back());
  }
  llvm::sort(visited, [](Range a, Range b) { return a.begin < b.begin; });
  for (auto [index, tile] : llvm::enumerate(visited)) {
    if (tile.begin < 0 || tile.begin >= n.nk)
      return refute(reasons::range, rows.begin, tile.begin);
    if (index != 0 && visited[index - 1].end > tile.begin)
      return refute(reasons::once, rows.begin, tile.begin);
  }
  for (Range tile : full)
    if (tile.end > n.nk)
      return refute(reasons::fullPastEnd, rows.begin, n.nk);
  IntervalSet all = IntervalSet::fromRanges(std::move(visited));
  IntervalSet allFull = IntervalSet::fromRanges(std::move(full));
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    if (!owns(classIndex, row))
      continue;
    IntervalSet live =
        mask.liveKeys(n, head, row + n.firstQuery(), Range{0, n.nk});
    IntervalSet missed = live.intersect(all.complementIn({0, n.nk}));
    if (!missed.empty())
      return refute(reasons::coverage, row, missed.ranges().front().begin);
    IntervalSet masked = allFull.intersect(live.complementIn({0, n.nk}));
    if (!masked.empty())
      return refute(reasons::fullMasked, row, masked.ranges().front().begin);
  }
  return std::nullopt;
}
