//===- NormalizePieces.cpp - Fewer and simpler pieces ---------------------===//

#include "LinearForm.h"
#include "Planner.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

using Bounds = llvm::ArrayRef<Bound>;

//===----------------------------------------------------------------------===//
// Comparing bounds
//===----------------------------------------------------------------------===//

/// True when a(i) <= b(i) at every i and N; false when unsure.
static bool isAtMost(const Bound &a, const Bound &b) {
  if (a.perKey != b.perKey || a.dependsOnQuery() != b.dependsOnQuery())
    return false;
  if (a.block == b.block)
    return a.offset <= b.offset;
  // i - (block - 1) <= block * floor(i / block) <= i.
  return a.offset <= b.offset - (b.block - 1);
}

/// True when x >= all of `outer` follows from x >= all of `inner` and x >= 0.
static bool lowerImplies(Bounds inner, Bounds outer, bool isKey) {
  return llvm::all_of(outer, [&](const Bound &wanted) {
    if (isKey && isAtMost(wanted, Bound::constant(0)))
      return true;
    return llvm::any_of(
        inner, [&](const Bound &given) { return isAtMost(wanted, given); });
  });
}

/// True when x < all of `outer` follows from x < all of `inner` and x < N.
static bool upperImplies(Bounds inner, Bounds outer) {
  return llvm::all_of(outer, [&](const Bound &wanted) {
    if (isAtMost(Bound::fromEnd(0), wanted))
      return true;
    return llvm::any_of(
        inner, [&](const Bound &given) { return isAtMost(given, wanted); });
  });
}

/// Same congruences and leaves, in any order.
static bool literalsImply(const Piece &inner, const Piece &outer) {
  return llvm::all_of(outer.residues,
                      [&](const Residue &wanted) {
                        return llvm::any_of(inner.residues,
                                            [&](const Residue &given) {
                                              return given == wanted;
                                            });
                      }) &&
         llvm::all_of(outer.sets,
                      [&](const PositionSet &wanted) {
                        return llvm::is_contained(inner.sets, wanted);
                      }) &&
         llvm::all_of(outer.opaque, [&](const OpaqueLiteral &wanted) {
           return llvm::any_of(inner.opaque, [&](const OpaqueLiteral &given) {
             return given == wanted;
           });
         });
}

static bool keysImply(const Piece &inner, const Piece &outer) {
  return lowerImplies(inner.lower, outer.lower, /*isKey=*/true) &&
         upperImplies(inner.upper, outer.upper) && literalsImply(inner, outer);
}

bool plan::isInside(const Piece &inner, const Piece &outer) {
  return keysImply(inner, outer) &&
         lowerImplies(inner.rowLower, outer.rowLower, /*isKey=*/false) &&
         upperImplies(inner.rowUpper, outer.rowUpper);
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

/// Drops bounds that another bound of the list implies.
template <typename List> static void dropImplied(List &bounds, bool isLower) {
  for (unsigned k = 0; k < bounds.size();) {
    bool isImplied = false;
    for (unsigned other = 0; other < bounds.size() && !isImplied; ++other)
      isImplied = other != k && (isLower ? isAtMost(bounds[k], bounds[other])
                                         : isAtMost(bounds[other], bounds[k]));
    if (isImplied)
      bounds.erase(bounds.begin() + k);
    else
      ++k;
  }
}

/// True when some lower bound is certainly not below some upper bound.
static bool boundsConflict(Bounds lower, Bounds upper) {
  return llvm::any_of(lower, [&](const Bound &low) {
    return llvm::any_of(upper,
                        [&](const Bound &up) { return isAtMost(up, low); });
  });
}

static bool isCertainlyEmpty(const Piece &piece) {
  Bound zero = Bound::constant(0), end = Bound::fromEnd(0);
  if (boundsConflict(piece.lower, piece.upper) ||
      boundsConflict(zero, piece.upper) || boundsConflict(piece.lower, end) ||
      boundsConflict(piece.rowLower, piece.rowUpper) ||
      boundsConflict(piece.rowLower, end))
    return true;
  // Two congruences of one subject and modulus with disjoint ranges.
  for (const Residue &a : piece.residues)
    for (const Residue &b : piece.residues)
      if (a.subject == b.subject && a.modulus == b.modulus && a.end <= b.begin)
        return true;
  return false;
}

/// True when the row ranges of both pieces are [a, b) with one lower and one
/// upper bound of the same kind and they touch or overlap; widens `a` to the
/// union.
static bool joinRows(Piece &a, const Piece &b) {
  if (a.rowLower.size() != 1 || a.rowUpper.size() != 1 ||
      b.rowLower.size() != 1 || b.rowUpper.size() != 1)
    return false;
  Bound &low = a.rowLower[0], &up = a.rowUpper[0];
  const Bound &otherLow = b.rowLower[0], &otherUp = b.rowUpper[0];
  if (low.perKey != otherLow.perKey || low.perKey != up.perKey ||
      low.perKey != otherUp.perKey)
    return false;
  if (otherLow.offset > up.offset || low.offset > otherUp.offset)
    return false;
  low.offset = std::min(low.offset, otherLow.offset);
  up.offset = std::max(up.offset, otherUp.offset);
  return true;
}

/// Moves the bounds of j - i to the nearest numbers that the residue has, and
/// says whether the residue has all in between. False, too, where there is no
/// bound on some side.
static bool tightenBy(const Residue &residue, Piece &piece) {
  auto isDiagonal = [](const Bound &bound) {
    return bound.block == 1 && bound.perKey == 0;
  };
  auto low = llvm::find_if(piece.lower, isDiagonal),
       high = llvm::find_if(piece.upper, isDiagonal);
  auto remainderOf = [&](int64_t x) {
    return x - floorDivide(x, residue.modulus) * residue.modulus;
  };
  if (low != piece.lower.end()) {
    int64_t at = remainderOf(low->offset);
    if (at >= residue.end)
      low->offset += residue.modulus - at + residue.begin;
    else
      low->offset += std::max<int64_t>(0, residue.begin - at);
  }
  if (high != piece.upper.end()) {
    int64_t last = remainderOf(high->offset - 1);
    if (last < residue.begin)
      high->offset -= residue.modulus + last - (residue.end - 1);
    else
      high->offset -= std::max<int64_t>(0, last - (residue.end - 1));
  }
  return low != piece.lower.end() && high != piece.upper.end() &&
         high->offset - low->offset <= residue.end - remainderOf(low->offset);
}

Pieces plan::normalizePieces(Pieces pieces) {
  for (Piece &piece : pieces) {
    llvm::erase_if(piece.residues, [&](const Residue &residue) {
      return residue.subject == Residue::Subject::KeyMinusQuery &&
             tightenBy(residue, piece);
    });
    dropImplied(piece.lower, /*isLower=*/true);
    dropImplied(piece.upper, /*isLower=*/false);
    dropImplied(piece.rowLower, /*isLower=*/true);
    dropImplied(piece.rowUpper, /*isLower=*/false);
  }
  llvm::erase_if(pieces, isCertainlyEmpty);

  // Rows of neighbouring global tokens are one range. Joining two may make it
  // touch a third, hence the restart.
  for (unsigned k = 0; k < pieces.size(); ++k) {
    for (unsigned other = k + 1; other < pieces.size();) {
      if (keysImply(pieces[k], pieces[other]) &&
          keysImply(pieces[other], pieces[k]) &&
          joinRows(pieces[k], pieces[other])) {
        pieces.erase(pieces.begin() + other);
        other = k + 1;
      } else {
        ++other;
      }
    }
  }
  for (unsigned k = 0; k < pieces.size();) {
    bool isCovered = false;
    for (unsigned other = 0; other < pieces.size() && !isCovered; ++other)
      isCovered = other != k && isInside(pieces[k], pieces[other]);
    if (isCovered)
      pieces.erase(pieces.begin() + k);
    else
      ++k;
  }
  return pieces;
}
