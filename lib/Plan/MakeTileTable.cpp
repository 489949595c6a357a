//===- MakeTileTable.cpp - Tables of tiles, made from a mask --------------===//
//
// Of the rows of a query tile the union of live keys decides. Tiles of Bn keys
// cover it from the left, each beginning at the first key that none before has:
// no fewer cover it. Where to cut rows is a shortest path over rows: from row r
// a query tile leads to r + Bm, or to a row before at which keys change much.
// Of two paths one is as good if it is further on at no more cost, as a tile
// costs no more without some of its rows, and only the others are followed.
//
//===----------------------------------------------------------------------===//

#include "MakeTileTable.h"
#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using llvm::ArrayRef;

/// The keys of `keys` from `begin` on, tile by tile.
static std::vector<int64_t> coverKeys(const IntervalSet &keys, int64_t size,
                                      int64_t nk) {
  std::vector<int64_t> starts;
  int64_t end = 0;
  for (Range range : keys.ranges())
    while (std::max(range.begin, end) < range.end) {
      int64_t start = std::max(range.begin, end);
      // The last one rather begins before its first key than ends behind Sk.
      start = std::max(end, std::min(start, nk - size));
      starts.push_back(start);
      end = start + size;
    }
  return starts;
}

uint64_t plan::countLiveTilePairs(ArrayRef<RowGroup> groups, TileShape tile,
                                  const Lengths &n) {
  uint64_t pairs = 0;
  const RowGroup *group = groups.begin();
  for (int64_t row = 0; row < n.nq; row += tile.queries) {
    int64_t end = std::min(row + tile.queries, n.nq);
    IntervalSet keys;
    while (group->rows.end <= row)
      ++group;
    for (const RowGroup *at = group; at != groups.end() && at->rows.begin < end;
         ++at)
      keys = keys.unite(at->keys);
    int64_t tiles = 0, next = 0;
    for (Range range : keys.ranges()) {
      int64_t first = std::max(next, range.begin / tile.keys);
      next = std::max(next, (range.end + tile.keys - 1) / tile.keys);
      tiles += next - first;
    }
    pairs += static_cast<uint64_t>(tiles) * tile.keys * (end - row);
  }
  return pairs;
}

namespace {
class TableMaker {
public:
  TableMaker(ArrayRef<RowGroup> groups, TileShape tile, const Lengths &n)
      : groups(groups), tile(tile), n(n) {}

  std::optional<TileTable> run();

private:
  /// A way to cut the rows before some row.
  struct Path {
    double cost;
    int64_t previous; ///< the cut before
  };

  const RowGroup *groupAt(int64_t row) const {
    return llvm::partition_point(
        groups, [row](const RowGroup &group) { return group.rows.end <= row; });
  }
  /// Whether keys change by more than a tile before this group.
  bool isTurn(const RowGroup *group) const;
  /// What a query tile costs whose rows see `any` keys, and all of them `all`.
  double costOf(int64_t rows, const IntervalSet &any,
                const IntervalSet &all) const;
  /// Follows the path to `row` by one query tile.
  void extend(int64_t row, double cost);
  bool appendTile(TileTable &table, Range rows) const;

  ArrayRef<RowGroup> groups;
  TileShape tile;
  Lengths n;
  std::map<int64_t, Path> open, done;
};
} // namespace

bool TableMaker::isTurn(const RowGroup *group) const {
  const IntervalSet &before = (group - 1)->keys, &keys = group->keys;
  int64_t common = before.intersect(keys).size();
  return before.size() + keys.size() - 2 * common >= tile.keys;
}

/// A tile takes as long as a whole one on some targets, and as its rows on
/// others. Its queries and results cost about as much as a tile of keys.
double TableMaker::costOf(int64_t rows, const IntervalSet &any,
                          const IntervalSet &all) const {
  double tiles = 1;
  for (int64_t start : coverKeys(any, tile.keys, n.nk))
    tiles += all.covers({start, start + tile.keys}) ? 1 : kPartialCost;
  return tiles * double(tile.queries + rows);
}

void TableMaker::extend(int64_t row, double cost) {
  int64_t end = std::min(row + tile.queries, n.nq);
  const RowGroup *first = groupAt(row);
  IntervalSet any = first->keys, all = first->keys;
  auto add = [&](int64_t to) {
    double sum = cost + costOf(to - row, any, all);
    auto [place, isNew] = open.insert({to, {sum, row}});
    if (!isNew && sum < place->second.cost)
      place->second = {sum, row};
  };
  for (const RowGroup *group = first + 1;
       group != groups.end() && group->rows.begin < end; ++group) {
    if (isTurn(group))
      add(group->rows.begin);
    any = any.unite(group->keys);
    all = all.intersect(group->keys);
  }
  add(end);
}

bool TableMaker::appendTile(TileTable &table, Range rows) const {
  const RowGroup *group = groupAt(rows.begin);
  IntervalSet any = group->keys, all = group->keys;
  for (++group; group != groups.end() && group->rows.begin < rows.end;
       ++group) {
    any = any.unite(group->keys);
    all = all.intersect(group->keys);
  }
  std::vector<int64_t> partial, full;
  for (int64_t start : coverKeys(any, tile.keys, n.nk)) {
    bool isFull = all.covers({start, start + tile.keys});
    (isFull ? full : partial).push_back(start);
  }
  table.append(rows.begin, rows.end, partial, full);
  return static_cast<int64_t>(table.cuts.size() + table.starts.size()) <=
         TileTable::maxEntries;
}

std::optional<TileTable> TableMaker::run() {
  if (n.nq / tile.queries > TileTable::maxEntries)
    return std::nullopt;
  open[0] = {0, 0};
  while (open.begin()->first != n.nq) {
    auto [row, path] = *open.begin();
    open.erase(open.begin());
    bool isWorse = llvm::any_of(open, [&, cost = path.cost](const auto &other) {
      return other.second.cost <= cost;
    });
    if (isWorse)
      continue;
    done[row] = path;
    extend(row, path.cost);
  }
  std::vector<int64_t> cuts = {n.nq};
  for (int64_t row = open.begin()->second.previous; row != 0;
       row = done[row].previous)
    cuts.push_back(row);
  cuts.push_back(0);
  TileTable table;
  for (size_t k = cuts.size() - 1; k > 0; --k)
    if (!appendTile(table, {cuts[k], cuts[k - 1]}))
      return std::nullopt;
  return table;
}

std::optional<TileTable> plan::makeTileTable(ArrayRef<RowGroup> groups,
                                             TileShape tile, const Lengths &n) {
  return TableMaker(groups, tile, n).run();
}
