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
