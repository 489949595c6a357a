//===- Affine.cpp - Masks as Presburger sets ------------------------------===//

#include "SparseAttn/Mask/Affine.h"
#include "SparseAttn/Mask/Mask.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::SmallVector;
using mlir::presburger::IntegerPolyhedron;
using mlir::presburger::PresburgerSet;
using mlir::presburger::PresburgerSpace;

namespace {

/// Columns of the constraint matrix, before the locals.
enum Column : unsigned { Query, Key, QueryLength, KeyLength };

PresburgerSpace setSpace() {
  return PresburgerSpace::getSetSpace(/*numDims=*/2, /*numSymbols=*/2);
}

class PolyhedronBuilder {
public:
  IntegerPolyhedron set{setSpace()};

  /// subject >= bound, or subject < bound.
  void addBound(const Bound &bound, Column subject, bool isLower) {
    // subject - bound >= 0, or bound - 1 - subject >= 0.
    int64_t sign = isLower ? 1 : -1;
    // The local variable must exist before the row is as wide as the matrix.
    std::optional<unsigned> quotient;
    if (bound.block > 1) {
      SmallVector<int64_t> row = zeros();
      row[Query] = 1;
      quotient = set.addLocalFloorDiv(row, bound.block);
    }
    SmallVector<int64_t> row = zeros();
    row[subject] += sign;
    if (bound.block == 1)
      row[Query] -= sign;
    else if (quotient)
      row[*quotient] -= sign * bound.block;
    row[KeyLength] -= sign * bound.perKey;
    row.back() = -sign * bound.offset - (isLower ? 0 : 1);
    set.addInequality(row);
  }

  void addResidue(const Residue &residue) {
    SmallVector<int64_t> subject = zeros();
    if (residue.subject != Residue::Subject::Query)
      subject[Key] = 1;
    if (residue.subject != Residue::Subject::Key)
      subject[Query] = residue.subject == Residue::Subject::Query ? 1 : -1;
    unsigned quotient = set.addLocalFloorDiv(subject, residue.modulus);
    // r = subject - modulus * floor(subject / modulus), begin <= r < end.
    SmallVector<int64_t> lower = zeros(), upper = zeros();
    for (unsigned column : {Query, Key}) {
      lower[column] = subject[column];
      upper[column] = -subject[column];
    }
    lower[quotient] = -residue.modulus;
    lower.back() = -residue.begin;
    upper[quotient] = residue.modulus;
    upper.back() = residue.end - 1;
    set.addInequality(lower);
    set.addInequality(upper);
  }

private:
  SmallVector<int64_t> zeros() const {
    return SmallVector<int64_t>(set.getNumCols(), 0);
  }
};

} // namespace

std::optional<IntegerPolyhedron> mask::toPolyhedron(const Piece &piece) {
  if (!piece.opaque.empty())
    return std::nullopt;
  PolyhedronBuilder builder;
  for (const Bound &bound : piece.rowLower)
    builder.addBound(bound, Query, /*isLower=*/true);
  for (const Bound &bound : piece.rowUpper)
    builder.addBound(bound, Query, /*isLower=*/false);
  for (const Bound &bound : piece.lower)
    builder.addBound(bound, Key, /*isLower=*/true);
  for (const Bound &bound : piece.upper)
    builder.addBound(bound, Key, /*isLower=*/false);
  for (const Residue &residue : piece.residues)
    builder.addResidue(residue);
  return builder.set;
}

std::optional<PresburgerSet> mask::toPresburger(const Mask &mask) {
  std::optional<Pieces> pieces = mask.pieces();
  if (!pieces)
    return std::nullopt;
  PresburgerSet result = PresburgerSet::getEmpty(setSpace());
  for (const Piece &piece : *pieces) {
    std::optional<IntegerPolyhedron> polyhedron = toPolyhedron(piece);
    if (!polyhedron)
      return std::nullopt;
    result.unionInPlace(PresburgerSet(*polyhedron));
  }
  return result;
}
