//===- FoldPiece.cpp - A piece in the numbers of a residue ----------------===//
//
// With i = p + s m and j = p + s k, 0 <= p < s, bounds of j are bounds of k:
//
//   j >= i + c              k >= m + ceil(c / s)
//   j >= s c                k >= c
//   j >= N + s c            k >= N' + c, N' = ceil((N - p) / s)
//   j >= s b floor(i / (s b)) + s c
//                           k >= b floor(m / b) + c
//
// the same with < in the place of >=, and of i and m alone. Other constants
// depend on p, unless a step is so long that they do not.
//
//===----------------------------------------------------------------------===//

#include "LinearForm.h"
#include "SparseAttn/Plan/PlanParts.h"
#include <numeric>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

static int64_t ceilDivide(int64_t a, int64_t b) { return -floorDivide(-a, b); }

static std::optional<Bound> foldBound(const Bound &bound, int64_t step) {
  Bound folded = bound;
  folded.offset = ceilDivide(bound.offset, step);
  if (bound.block == 1 && bound.perKey == 0)
    return folded;
  bool isMultiple = bound.offset % step == 0;
  if (bound.block == 0)
    return isMultiple && (bound.perKey == 0 || bound.perKey == 1)
               ? std::optional(folded)
               : std::nullopt;
  if (bound.perKey != 0)
    return std::nullopt;
  if (bound.block % step == 0 && isMultiple) {
    folded.block = bound.block / step;
    return folded;
  }
  // block * floor(i / block) is i less at most block - 1.
  if (ceilDivide(bound.offset - (bound.block - 1), step) != folded.offset)
    return std::nullopt;
  folded.block = 1;
  return folded;
}

template <typename List>
static bool foldBounds(const List &bounds, int64_t step, List &folded) {
  for (const Bound &bound : bounds) {
    std::optional<Bound> one = foldBound(bound, step);
    if (!one)
      return false;
    folded.push_back(*one);
  }
  return true;
}

/// Whether the piece keeps the residue, in that it is told by numbers; sets
/// `isNever` where no pair of one residue modulo `step` has it.
static bool foldResidue(const Residue &residue, int64_t step,
                        llvm::SmallVectorImpl<Residue> &folded, bool &isNever) {
  int64_t common = std::gcd(residue.modulus, step);
  Residue one = residue;
  one.modulus = residue.modulus / common;
  if (residue.subject != Residue::Subject::KeyMinusQuery) {
    // p + s k mod s t is p + s (k mod t).
    if (common != step || residue.begin % step != 0 || residue.end % step != 0)
      return false;
    one.begin = residue.begin / step;
    one.end = residue.end / step;
    folded.push_back(one);
    return true;
  }
  // s x mod g M' is g (s / g x mod M'), which is x mod M' where s / g mod M' is
  // 1, and 0 where x mod M' is.
  one.begin = ceilDivide(residue.begin, common);
  one.end = ceilDivide(residue.end, common);
  isNever |= one.begin >= one.end;
  bool isAll = one.begin == 0 && one.end == one.modulus;
  bool isZero = one.begin == 0 && one.end == 1;
  if (isNever || isAll)
    return true;
  folded.push_back(one);
  return isZero || step / common % one.modulus == 1;
}

std::optional<Pieces> plan::foldPiece(const Piece &piece, int64_t step) {
  if (!piece.opaque.empty() || !piece.sets.empty())
    return std::nullopt;
  Piece folded;
  bool isNever = false;
  for (const Residue &residue : piece.residues)
    if (!foldResidue(residue, step, folded.residues, isNever))
      return std::nullopt;
  if (isNever)
    return Pieces();
  if (!foldBounds(piece.rowLower, step, folded.rowLower) ||
      !foldBounds(piece.rowUpper, step, folded.rowUpper) ||
      !foldBounds(piece.lower, step, folded.lower) ||
      !foldBounds(piece.upper, step, folded.upper))
    return std::nullopt;
  return Pieces{folded};
}

static void unfoldBounds(int64_t step, llvm::SmallVectorImpl<Bound> &bounds) {
  for (Bound &bound : bounds) {
    bound.offset *= step;
    if (bound.block > 1)
      bound.block *= step;
  }
}

Piece plan::unfoldPiece(Piece piece, int64_t step) {
  if (step == 1)
    return piece;
  unfoldBounds(step, piece.rowLower);
  unfoldBounds(step, piece.rowUpper);
  unfoldBounds(step, piece.lower);
  unfoldBounds(step, piece.upper);
  for (Residue &residue : piece.residues) {
    residue.modulus *= step;
    residue.begin *= step;
    residue.end *= step;
  }
  piece.residues.push_back({Residue::Subject::KeyMinusQuery, step, 0, 1});
  return piece;
}
