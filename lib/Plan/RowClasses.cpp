//===- RowClasses.cpp - Rows that are planned apart -----------------------===//
//
// A piece confined to a few rows, such as a global token's, must not widen the
// plan of all rows: its rows get a class of their own, which plans all pieces
// for them.
//
//===----------------------------------------------------------------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

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
  // A row sees some tokens,
  if (llvm::any_of(piece.sets, [](const PositionSet &set) {
        return set.ofKey && set.positions->size() < maxSequenceLength;
      }))
    return true;
  // that data may list,
  if (piece.getDataFacts() & (ListedRow | ListedKey))
    return true;
  // or draws a fixed number of blocks.
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
  return cls.layout.isContiguous() &&
         llvm::ArrayRef(cls.rowLower) == llvm::ArrayRef(piece.rowLower) &&
         llvm::ArrayRef(cls.rowUpper) == llvm::ArrayRef(piece.rowUpper);
}

/// One lower and one upper bound of the same kind.
static bool isSimpleRange(const ClassPieces &cls) {
  return cls.layout.isContiguous() && cls.rowLower.size() == 1 &&
         cls.rowUpper.size() == 1 &&
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

/// The class of rows that stand in `layout`, which is added where it is new.
static ClassPieces &findScattered(std::vector<ClassPieces> &classes,
                                  const Layout &layout) {
  for (ClassPieces &cls : llvm::drop_begin(classes))
    if (cls.layout == layout)
      return cls;
  ClassPieces added;
  added.layout = layout;
  added.maxRows = layout.numSlots();
  classes.push_back(std::move(added));
  return classes.back();
}

/// Cuts a list where bounds that move with the query would be those of all its
/// rows: into a few of neighbouring rows, of whole tiles.
static void cutLists(std::vector<ClassPieces> &classes) {
  constexpr int64_t maxCuts = 4;
  auto moves = [](const Bound &bound) { return bound.dependsOnQuery(); };
  auto isMoving = [&](const Piece &piece) {
    return llvm::any_of(piece.lower, moves) || llvm::any_of(piece.upper, moves);
  };
  std::vector<ClassPieces> result;
  for (ClassPieces &cls : classes) {
    const Layout &layout = cls.layout;
    int64_t slots = layout.numSlots().value_or(0);
    if (slots <= layout.tile || layout.tile % layout.width != 0 ||
        llvm::none_of(cls.pieces, isMoving)) {
      result.push_back(std::move(cls));
      continue;
    }
    int64_t tiles = llvm::divideCeil(slots, layout.tile);
    int64_t runs =
        llvm::divideCeil(tiles, maxCuts) * layout.tile / layout.width;
    llvm::ArrayRef<int64_t> starts = layout.starts;
    for (; !starts.empty();
         starts = starts.drop_front(std::min<int64_t>(runs, starts.size()))) {
      ClassPieces part = cls;
      llvm::ArrayRef<int64_t> some =
          starts.take_front(std::min<int64_t>(runs, starts.size()));
      part.layout.starts.assign(some.begin(), some.end());
      part.maxRows = part.layout.numSlots();
      part.pieces = restrictToRows(cls.pieces, part.layout);
      result.push_back(std::move(part));
    }
  }
  classes = std::move(result);
}

/// Makes the ordinary class that of the rows that a lattice leaves, so that no
/// row is computed in vain.
static void leaveOutPeriod(std::vector<ClassPieces> &classes,
                           const TileShape &tile, const LengthFacts &facts) {
  ClassPieces &ordinary = classes.front();
  for (const ClassPieces &cls : llvm::drop_begin(classes))
    if (std::optional<Layout> rest =
            findRestOfPeriod(cls.layout, ordinary.pieces, tile, facts)) {
      ordinary.layout = *rest;
      ordinary.pieces = restrictToRows(ordinary.pieces, *rest);
      return;
    }
}

RowClasses plan::classifyRows(const Pieces &pieces, const TileShape &tile,
                              const LengthFacts &facts, RowOptions options) {
  std::vector<ClassPieces> classes(1);
  for (const Piece &piece : pieces) {
    if (std::optional<Layout> layout =
            findRowLayout(piece, tile, facts, options)) {
      ClassPieces &cls = findScattered(classes, *layout);
      // Rows of a lattice are many.
      cls.heavy |=
          layout->isList() && !hasConstantKeyExtent(piece, /*rowPerKey=*/0);
      continue;
    }
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
    cls.pieces =
        cls.layout.isContiguous() ? pieces : restrictToRows(pieces, cls.layout);
  }
  if (options.rest)
    leaveOutPeriod(classes, tile, facts);
  cutLists(classes);
  return {std::move(classes)};
}
