//===- RowClasses.cpp - Rows that are planned apart -----------------------===//
//
// A piece confined to a few rows, such as a global token's, must not widen the
// plan of all rows: its rows get a class of their own, which plans all pieces
// for them.
//
//===----------------------------------------------------------------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

/// Rows of special classes are computed a second time by the ordinary class,
/// so a long range is better guarded inside the ordinary class.
static constexpr int64_t maxSpecialRows = 4096;
static constexpr unsigned maxSpecialClasses = 16;

/// The number of rows that `lower` and `upper` leave at any lengths, and the
/// N-coefficient of the pair that says so.
static std::optional<std::pair<int64_t, int64_t>>
constantExtent(llvm::ArrayRef<Bound> lower, llvm::ArrayRef<Bound> upper) {
  std::optional<std::pair<int64_t, int64_t>> result;
  for (const Bound &low : lower) {
    for (const Bound &up : upper) {
      if (low.perKey != up.perKey)
        continue;
      int64_t extent = up.offset - low.offset;
      if (!result || extent < result->first)
        result = {extent, low.perKey};
    }
  }
  return result;
}

static std::optional<std::pair<int64_t, int64_t>>
constantRows(const Piece &piece) {
  llvm::SmallVector<Bound> upper(llvm::ArrayRef(piece.rowUpper));
  upper.push_back(Bound::fromEnd(0)); // Every row is below N.
  return constantExtent(piece.rowLower, upper);
}

/// True when the number of keys of a row is bounded at any lengths. A bound
/// that moves with rows near `rowPerKey` * N counts as constant there.
static bool hasConstantKeyExtent(const Piece &piece,
                                 std::optional<int64_t> rowPerKey) {
  // A row draws a fixed number of blocks.
  if (llvm::any_of(piece.opaque, [](const OpaqueLiteral &literal) {
        return !literal.negated && literal.leaf->getRandomBlocks();
      }))
    return true;
  auto isBounded = [&](const Bound &low, const Bound &up) {
    if (low.dependsOnQuery() == up.dependsOnQuery())
      return low.perKey == up.perKey;
    if (!rowPerKey)
      return false;
    auto slope = [&](const Bound &bound) {
      return bound.perKey + (bound.dependsOnQuery() ? *rowPerKey : 0);
    };
    return slope(low) == slope(up);
  };
  llvm::SmallVector<Bound, 2> lower(piece.lower), upper(piece.upper);
  lower.push_back(Bound::constant(0));
  upper.push_back(Bound::fromEnd(0));
  return llvm::any_of(lower, [&](const Bound &low) {
    return llvm::any_of(upper,
                        [&](const Bound &up) { return isBounded(low, up); });
  });
}

static bool haveSameRows(const ClassPieces &cls, const Piece &piece) {
  return llvm::ArrayRef(cls.rowLower) == llvm::ArrayRef(piece.rowLower) &&
         llvm::ArrayRef(cls.rowUpper) == llvm::ArrayRef(piece.rowUpper);
}

/// One lower and one upper bound of the same kind.
static bool isSimpleRange(const ClassPieces &cls) {
  return cls.rowLower.size() == 1 && cls.rowUpper.size() == 1 &&
         cls.rowLower[0].perKey == cls.rowUpper[0].perKey;
}

/// Joins ranges whose hull is no more work than the two of them: it is at most
/// one query tile.
static void joinCloseClasses(std::vector<ClassPieces> &classes,
                             const TileShape &tile) {
  for (unsigned k = 1; k < classes.size(); ++k) {
    for (unsigned other = k + 1; other < classes.size();) {
      ClassPieces &a = classes[k], &b = classes[other];
      if (!isSimpleRange(a) || !isSimpleRange(b) ||
          a.rowLower[0].perKey != b.rowLower[0].perKey) {
        ++other;
        continue;
      }
      int64_t low = std::min(a.rowLower[0].offset, b.rowLower[0].offset);
      int64_t up = std::max(a.rowUpper[0].offset, b.rowUpper[0].offset);
      if (up - low > tile.queries) {
        ++other;
        continue;
      }
      a.rowLower[0].offset = low;
      a.rowUpper[0].offset = up;
      a.maxRows = up - low;
      a.heavy |= b.heavy;
      classes.erase(classes.begin() + other);
    }
  }
}

RowClasses plan::classifyRows(const Pieces &pieces, const TileShape &tile) {
  std::vector<ClassPieces> classes(1);
  for (const Piece &piece : pieces) {
    auto rows = constantRows(piece);
    if (!rows || rows->first > maxSpecialRows) {
      classes[0].pieces.push_back(piece);
      continue;
    }
    auto cls = llvm::find_if(llvm::drop_begin(classes),
                             [&](const ClassPieces &candidate) {
                               return haveSameRows(candidate, piece);
                             });
    if (cls == classes.end()) {
      ClassPieces added;
      added.rowLower.assign(piece.rowLower.begin(), piece.rowLower.end());
      added.rowUpper.assign(piece.rowUpper.begin(), piece.rowUpper.end());
      added.maxRows = rows->first;
      classes.push_back(added);
      cls = std::prev(classes.end());
    }
    cls->heavy |= !hasConstantKeyExtent(piece, rows->second);
  }

  if (classes.size() - 1 > maxSpecialClasses)
    joinCloseClasses(classes, tile);
  if (classes.size() - 1 > maxSpecialClasses) {
    classes.resize(1);
    classes[0].pieces = pieces;
    return {std::move(classes), /*areTooMany=*/true};
  }
  // Where ordinary rows are as long, nothing is gained by splitting.
  bool ordinaryIsLong = llvm::any_of(classes[0].pieces, [](const Piece &piece) {
    return !hasConstantKeyExtent(piece, std::nullopt);
  });
  for (ClassPieces &cls : llvm::drop_begin(classes)) {
    cls.heavy &= !ordinaryIsLong;
    cls.pieces = pieces;
  }
  return {std::move(classes)};
}
