//===- ComputedPairs.cpp - The pairs that code computes -------------------===//

#include "SparseAttn/Plan/ComputedPairs.h"
#include "LinearForm.h"
#include "SparseAttn/Mask/Predicate.h"
#include "SparseAttn/Plan/Grids.h"
#include "SparseAttn/Plan/RowReach.h"
#include "SparseAttn/Plan/TableBounds.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <map>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

static int64_t ceilDivide(int64_t a, int64_t b) { return -floorDivide(-a, b); }

namespace {
/// Counts the pairs of one plan without parts, or of one residue of a part.
class PairCounter {
public:
  PairCounter(const Mask &mask, const Plan &plan, const Lengths &n,
              int64_t head, llvm::function_ref<int64_t(int64_t)> rowsOfWarp,
              Slots slots)
      : mask(mask), plan(plan), n(n), head(head), rowsOfWarp(rowsOfWarp),
        slots(slots) {
    // That of code, as it tells whether a pair is live.
    Predicate predicate = makePredicate(mask);
    if (predicate.kind == Predicate::Kind::Union)
      pieces = predicate.pieces;
  }

  /// Counts those of all classes; the first one is a grid of its own where its
  /// rows go on from the states of other parts.
  uint64_t count(bool firstAlone) const;

private:
  /// Counts those of one class, whose tiles have `rows` slots and begin no
  /// earlier than the classes before end, at `before`.
  uint64_t count(const RowClass &cls, int64_t rows, int64_t &before) const;

  int64_t rowsOf(const QueryTile &at) const {
    return slots == Slots::All ? at.slots : at.there.size();
  }
  /// Keys of tiles, in a layout or from those places on.
  int64_t keysOf(const Layout &layout, Range tiles) const;
  int64_t keysFrom(int64_t first) const {
    return slots == Slots::All ? plan.tile.keys
                               : std::min(plan.tile.keys, n.nk - first);
  }

  uint64_t pairsOfTable(const RowClass &cls, const QueryTile &at,
                        const TableBounds *bounds) const;
  uint64_t pairsOf(const RowClass &cls, const QueryTile &at) const;
  /// The rows of warps that have a row among the live ones, or of all warps.
  int64_t rowsOfLive(const QueryTile &at, std::optional<Range> live) const;
  /// Those with a pair of `some` in the tile that begins at key `first`.
  int64_t rowsOfTile(const QueryTile &at, const Pieces &some,
                     int64_t first) const;

  const Mask &mask;
  const Plan &plan;
  const Lengths &n;
  int64_t head;
  llvm::function_ref<int64_t(int64_t)> rowsOfWarp;
  Slots slots;
  Pieces pieces;
};
} // namespace

uint64_t PairCounter::count(bool firstAlone) const {
  uint64_t pairs = 0;
  LengthFacts facts = LengthFacts().assuming(plan.assumed);
  for (llvm::ArrayRef<RowClass> rest = plan.classes; !rest.empty();
       firstAlone = false) {
    llvm::ArrayRef<RowClass> together =
        rest.take_front(firstAlone ? 1 : countTogether(rest, facts));
    rest = rest.drop_front(together.size());
    int64_t rows = 0, before = 0;
    for (const RowClass &cls : together)
      rows = std::max(rows, cls.codeRows(plan.tile));
    for (const RowClass &cls : together)
      pairs += count(cls, rows, before);
  }
  return pairs;
}

uint64_t PairCounter::count(const RowClass &cls, int64_t rows,
                            int64_t &before) const {
  uint64_t pairs = 0;
  if (cls.hasTable()) {
    std::optional<TableBounds> bounds =
        findTableBounds(mask, cls.table, {rows, plan.tile.keys}, n);
    for (int64_t q = 0; q < cls.table.numQueryTiles(); ++q)
      pairs += pairsOfTable(
          cls, locateQueryTile(plan, cls, n, rows, q, cls.table.cuts[q]),
          bounds ? &*bounds : nullptr);
    return pairs;
  }
  int64_t begin = std::max(cls.rowBegin.evaluate(0, n), before);
  int64_t end = cls.rowEnd.evaluate(0, n);
  if (cls.layout.isContiguous())
    end = std::min(end, n.nq);
  else if (std::optional<int64_t> all = cls.layout.numSlots())
    end = std::min(end, *all);
  before = std::max(begin, end);
  for (int64_t q = 0, e = ceilDivide(std::max<int64_t>(end - begin, 0), rows);
       q < e; ++q)
    pairs +=
        pairsOf(cls, locateQueryTile(plan, cls, n, rows, q, begin + q * rows));
  return pairs;
}

int64_t PairCounter::keysOf(const Layout &layout, Range tiles) const {
  int64_t size = layout.tileSize(plan.tile.keys);
  Range keys = {tiles.begin * size, tiles.end * size};
  if (slots == Slots::There)
    keys = keys.intersect({0, layout.slotsBelow(n.nk)});
  return keys.size();
}

int64_t PairCounter::rowsOfLive(const QueryTile &at,
                                std::optional<Range> live) const {
  int64_t ofWarp = rowsOfWarp(at.slots);
  if (!live || !at.first || ofWarp == 0)
    return rowsOf(at);
  int64_t rows = 0;
  for (int64_t row = 0; row < at.slots; row += ofWarp) {
    Range own = {row, row + ofWarp};
    if (!live->intersect(own).empty())
      rows += slots == Slots::All ? ofWarp : own.intersect(at.there).size();
  }
  return rows;
}

int64_t PairCounter::rowsOfTile(const QueryTile &at, const Pieces &some,
                                int64_t first) const {
  if (!at.first)
    return rowsOf(at);
  int64_t position = *at.first + n.firstQuery();
  std::optional<Range> live =
      findLiveRows(some, n, position, first, {at.slots, plan.tile.keys});
  if (live)
    live = Range{live->begin - position, live->end - position};
  return rowsOfLive(at, live);
}

/// Code tells the rows that a full tile has only where some query tile has few.
static bool hasFewRows(const TileTable &table, int64_t rows) {
  constexpr int64_t rowsOfWarp = 16;
  return llvm::any_of(llvm::seq(table.numQueryTiles()), [&](int64_t q) {
    return table.rowsOf(q).size() <= rows - rowsOfWarp;
  });
}

uint64_t PairCounter::pairsOfTable(const RowClass &cls, const QueryTile &at,
                                   const TableBounds *bounds) const {
  uint64_t pairs = 0;
  for (auto [k, first] : llvm::enumerate(cls.table.partialOf(at.number))) {
    int64_t rows =
        bounds
            ? rowsOfLive(
                  at, bounds->reach[cls.table.offsets[2 * at.number] + k].live)
            : rowsOfTile(at, pieces, first);
    pairs += rows * keysFrom(first);
  }
  std::optional<Range> live;
  if (hasFewRows(cls.table, at.slots))
    live = at.there;
  for (int64_t first : cls.table.fullOf(at.number))
    pairs += rowsOfLive(at, live) * keysFrom(first);
  return pairs;
}

uint64_t PairCounter::pairsOf(const RowClass &cls, const QueryTile &at) const {
  uint64_t pairs = 0;
  bool runsApart = at.first && rowsOfWarp(at.slots) > 0;
  auto add = [&](Range tiles, const Layout &layout, const Pieces *partial) {
    if (!runsApart || !partial || !layout.isContiguous() ||
        !leavesOutRows(*partial)) {
      pairs += rowsOf(at) * keysOf(layout, tiles);
      return;
    }
    for (int64_t tile = tiles.begin; tile < tiles.end; ++tile)
      pairs += rowsOfTile(at, *partial, tile * plan.tile.keys) *
               keysOf(layout, {tile, tile + 1});
  };
  for (const Segment &segment : cls.segments) {
    const Pieces &some = segment.where ? *segment.where : pieces;
    add(segment.usualTiles(at.number, n), segment.layout,
        segment.full ? nullptr : &some);
  }
  if (cls.draws.empty())
    return pairs;
  // One loop visits all drawn tiles, with a mask where some need one.
  bool areFull =
      llvm::all_of(cls.draws, [](const Draw &draw) { return draw.full; });
  for (const VisitedTile &tile :
       visitedTiles(cls, plan.tile, n, head, at.number))
    if (!tile.segment)
      add({tile.keyTile, tile.keyTile + 1}, Layout(),
          areFull ? nullptr : &pieces);
  return pairs;
}

//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

/// Counts the pairs of one head, in all parts of the plan.
static uint64_t countPairs(const Mask &mask, const Plan &plan, const Lengths &n,
                           int64_t head,
                           llvm::function_ref<int64_t(int64_t)> rowsOfWarp,
                           Slots slots) {
  if (plan.parts.empty())
    return PairCounter(mask, plan, n, head, rowsOfWarp, slots)
        .count(/*firstAlone=*/false);
  uint64_t pairs = 0;
  for (const Part &part : plan.parts) {
    Plan some = planOf(part, {});
    // The pairs that a kernel tells are those of the part.
    for (RowClass &cls : some.classes)
      for (Segment &segment : cls.segments)
        if (!segment.full && !segment.where) {
          segment.where = part.pairs;
          llvm::for_each(*segment.where, endAtLastKey);
        }
    bool goesOn = plan.parts.size() > 1 && &part == &plan.parts.back();
    // Positions in a fold are not asked for.
    auto none = [](int64_t) { return int64_t(0); };
    auto warps = part.step == 1 ? rowsOfWarp
                                : llvm::function_ref<int64_t(int64_t)>(none);
    // Lengths of residues differ by one at most.
    std::map<std::pair<int64_t, int64_t>, uint64_t> residues;
    for (int64_t row = 0; row < std::min(part.step, n.nq); ++row) {
      Lengths residue = foldLengths(n, part.step, row);
      ++residues[{residue.nq, residue.nk}];
    }
    for (auto [lengths, count] : residues) {
      Lengths residue = {lengths.first, lengths.second};
      if (residue.nk > 0)
        pairs +=
            count *
            PairCounter(mask, some, residue, head, warps, slots).count(goesOn);
    }
  }
  return pairs;
}

uint64_t plan::countComputedPairs(
    const Mask &mask, const Plan &plan, const Lengths &n, const Heads &heads,
    llvm::function_ref<int64_t(int64_t)> rowsOfWarp, Slots slots) {
  if (n.nq == 0 || n.nk == 0)
    return 0;
  auto ofHead = [&](int64_t head) {
    return countPairs(mask, plan, n, head, rowsOfWarp, slots);
  };
  if (plan.hasPackedHeads() && slots == Slots::All) {
    int64_t group = heads.queries / heads.keys;
    return heads.keys * ceilDivide(group, plan.heads) * ofHead(0);
  }
  if (plan.isHeadInvariant())
    return heads.queries * ofHead(0);
  uint64_t pairs = 0;
  for (int64_t head = 0; head < heads.queries; ++head)
    pairs += ofHead(head);
  return pairs;
}
