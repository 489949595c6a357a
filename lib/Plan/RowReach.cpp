//===- RowReach.cpp - The rows that a key tile reaches --------------------===//

#include "SparseAttn/Plan/RowReach.h"
#include "LinearForm.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

/// More pieces cost more than a tile that is left out gains.
static constexpr size_t kMaxPieces = 8;

static bool isBoundOfRows(const Bound &bound) { return leavesOutRows(bound); }

/// Whether a piece has all rows of a tile or none, as far as its bounds tell.
static bool reachesAll(const Piece &piece) {
  return llvm::none_of(piece.lower, isBoundOfRows) &&
         llvm::none_of(piece.upper, isBoundOfRows);
}

/// Such a piece whose pairs lie anywhere: there is hardly a tile without one.
static bool isScattered(const Piece &piece) {
  return reachesAll(piece) && !piece.isBand();
}

/// A piece of bounds of which all tell something of rows.
static bool isSlanted(const Piece &piece) {
  auto isOutOfReach = [](const Bound &bound) {
    return bound.dependsOnQuery() && !bound.isSmall();
  };
  return piece.isBand() && !reachesAll(piece) &&
         llvm::none_of(piece.lower, isOutOfReach) &&
         llvm::none_of(piece.upper, isOutOfReach);
}

bool plan::leavesOutRows(const Pieces &pieces) {
  return pieces.size() <= kMaxPieces && !llvm::all_of(pieces, reachesAll) &&
         llvm::none_of(pieces, isScattered);
}

const Piece *plan::findSlanted(const Pieces &pieces) {
  const auto *slanted = llvm::find_if(pieces, isSlanted);
  return slanted == pieces.end() ? nullptr : slanted;
}

namespace {
/// Positions as numbers.
struct NumberMath {
  using Number = int64_t;
  using Condition = bool;

  Number number(int64_t value) const {
    return std::clamp(value, -maxSequenceLength, maxSequenceLength);
  }
  Number add(Number x, Number y) const { return x + y; }
  Number subtract(Number x, Number y) const { return x - y; }
  Number least(Number x, Number y) const { return std::min(x, y); }
  Number most(Number x, Number y) const { return std::max(x, y); }
  Number floorTo(Number x, int64_t block) const {
    return floorDivide(x, block) * block;
  }
  Number bound(const Bound &bound) const {
    return bound.evaluate(firstRow, numKeys);
  }
  Condition isBelow(Number x, Number y) const { return x < y; }
  Condition isAtLeast(Number x, Number y) const { return x >= y; }
  Condition both(Condition x, Condition y) const { return x && y; }
  Number select(Condition holds, Number x, Number y) const {
    return holds ? x : y;
  }

  int64_t firstRow, numKeys;
};
} // namespace

std::optional<Range> plan::findLiveRows(const Pieces &pieces, const Lengths &n,
                                        int64_t firstRow, int64_t firstKey,
                                        TileShape tile) {
  if (!leavesOutRows(pieces))
    return std::nullopt;
  ReachRules<NumberMath> rules({firstRow, n.nk}, firstRow, firstKey, n.nk,
                               tile);
  auto rows = rules.live(pieces);
  return Range{rows.begin, rows.end};
}

namespace {
/// Counts what warps compute of one class.
class WarpCounter {
public:
  WarpCounter(const Plan &plan, const Pieces &pieces, const Lengths &n,
              int64_t rowsOfWarp)
      : plan(plan), pieces(pieces), n(n), rowsOfWarp(rowsOfWarp) {}

  /// The pairs of visited tiles that warps leave out, over all query tiles.
  uint64_t leftOut(const RowClass &cls, int64_t head) const;

private:
  /// The rows of `slots` whose warps leave the tile out.
  int64_t leftOut(const VisitedTile &tile, Range slots) const;

  const Plan &plan;
  const Pieces &pieces;
  const Lengths &n;
  int64_t rowsOfWarp;
};
} // namespace

int64_t WarpCounter::leftOut(const VisitedTile &tile, Range slots) const {
  bool hasOwn = tile.segment && tile.segment->where;
  std::optional<Range> live = findLiveRows(
      hasOwn ? *tile.segment->where : pieces, n, slots.begin + n.firstQuery(),
      tile.keyTile * plan.tile.keys, plan.tile);
  if (!live)
    return 0;
  int64_t rows = 0;
  for (int64_t first = slots.begin; first < slots.end; first += rowsOfWarp) {
    Range own = {first, first + rowsOfWarp};
    Range positions = {own.begin + n.firstQuery(), own.end + n.firstQuery()};
    if (live->intersect(positions).empty())
      rows += own.intersect(slots).size();
  }
  return rows;
}

uint64_t WarpCounter::leftOut(const RowClass &cls, int64_t head) const {
  uint64_t pairs = 0;
  for (int64_t q = 0; q < cls.numQueryTiles(plan.tile, n); ++q) {
    Range slots = cls.rowSlots(q, plan.tile, n);
    for (const VisitedTile &tile : visitedTiles(cls, plan.tile, n, head, q)) {
      if (tile.full || (tile.segment && !tile.segment->layout.isContiguous()))
        continue;
      int64_t keys = std::min((tile.keyTile + 1) * plan.tile.keys, n.nk) -
                     tile.keyTile * plan.tile.keys;
      pairs += leftOut(tile, slots) * std::max<int64_t>(keys, 0);
    }
  }
  return pairs;
}

uint64_t plan::countComputedPairs(
    const Plan &plan, const Pieces &pieces, const Lengths &n, int64_t head,
    llvm::function_ref<int64_t(const RowClass &)> rowsOfWarp) {
  uint64_t pairs = countVisitedPairs(plan, n, head);
  // Positions of folded parts and of packed heads are not asked for.
  auto subtract = [&](const Plan &some) {
    for (const RowClass &cls : some.classes)
      if (int64_t rows = rowsOfWarp(cls);
          rows > 0 && !cls.hasTable() && cls.layout.isContiguous())
        pairs -= WarpCounter(some, pieces, n, rows).leftOut(cls, head);
  };
  if (plan.hasPackedHeads())
    return pairs;
  if (plan.parts.empty())
    subtract(plan);
  for (const Part &part : plan.parts)
    if (part.step == 1)
      subtract(planOf(part, {}));
  return pairs;
}
