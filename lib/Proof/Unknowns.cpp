//===- Unknowns.cpp - What a proof asks about -----------------------------===//

#include "Unknowns.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

Unknowns::Unknowns(const LengthFacts &facts) {
  auto length = [&](std::optional<int64_t> known, int64_t multiple) {
    if (known)
      return Linear::number(*known);
    Linear length = newVariable() * multiple;
    domain.push_back(Formula::lessEqual(Linear::number(1), length));
    domain.push_back(
        Formula::lessEqual(length, Linear::number(maxSequenceLength)));
    return length;
  };
  // They are in the order in which branch and bound is to fix them.
  q = newVariable();
  row = newVariable();
  keyTile = newVariable();
  key = newVariable();
  bool isOneLength = facts.areEqual() && !facts.nk;
  if (!isOneLength)
    nq = length(facts.nq, 1);
  nk = length(facts.nk, facts.assumed.keysMultiple);
  if (isOneLength)
    nq = nk;
  if (!isOneLength)
    requireMultiple(nk - nq, facts.assumed.offsetMultiple);
  if (facts.nk)
    requireMultiple(nk, facts.assumed.keysMultiple);
  domain.push_back(Formula::nonNegative(q));
}

void Unknowns::requireMultiple(const Linear &form, int64_t divisor) {
  if (divisor == 1)
    return;
  Linear multiple = newVariable() * divisor;
  domain.push_back(Formula::lessEqual(form, multiple));
  domain.push_back(Formula::lessEqual(multiple, form));
}

static Formula isIn(const Linear &subject, const PositionSet &set) {
  std::vector<Formula> parts;
  Range all = set.universe();
  for (Range range : set.positions->ranges()) {
    std::vector<Formula> bounds;
    if (range.begin > all.begin)
      bounds.push_back(
          Formula::lessEqual(Linear::number(range.begin), subject));
    if (range.end < all.end)
      bounds.push_back(Formula::less(subject, Linear::number(range.end)));
    parts.push_back(Formula::all(std::move(bounds)));
  }
  return Formula::any(std::move(parts));
}

Formula Unknowns::literals(const Piece &piece, const Linear &i, const Linear &j,
                           const Linear &n, bool negated) {
  std::vector<Formula> parts;
  auto valueOf = [&](const Bound &bound) {
    Linear value = n * bound.perKey + bound.offset;
    if (bound.block != 0)
      value.add(problem.floorDiv(i, bound.block), bound.block);
    return value;
  };
  auto addLower = [&](const Linear &subject, llvm::ArrayRef<Bound> bounds) {
    for (const Bound &bound : bounds)
      parts.push_back(negated ? Formula::less(subject, valueOf(bound))
                              : Formula::lessEqual(valueOf(bound), subject));
  };
  auto addUpper = [&](const Linear &subject, llvm::ArrayRef<Bound> bounds) {
    for (const Bound &bound : bounds)
      parts.push_back(negated ? Formula::lessEqual(valueOf(bound), subject)
                              : Formula::less(subject, valueOf(bound)));
  };
  addLower(i, piece.rowLower);
  addUpper(i, piece.rowUpper);
  addLower(j, piece.lower);
  addUpper(j, piece.upper);
  for (const Residue &residue : piece.residues) {
    Linear subject;
    switch (residue.subject) {
    case Residue::Subject::Key:
      subject = j;
      break;
    case Residue::Subject::Query:
      subject = i;
      break;
    case Residue::Subject::KeyMinusQuery:
      subject = j - i;
      break;
    }
    Linear remainder = subject;
    remainder.add(problem.floorDiv(subject, residue.modulus), -residue.modulus);
    Linear begin = Linear::number(residue.begin),
           end = Linear::number(residue.end);
    if (negated)
      parts.push_back(Formula::any({Formula::less(remainder, begin),
                                    Formula::lessEqual(end, remainder)}));
    else
      parts.push_back(Formula::all({Formula::lessEqual(begin, remainder),
                                    Formula::less(remainder, end)}));
  }
  for (const PositionSet &set : piece.sets) {
    Linear subject = set.ofKey ? j : i;
    if (set.fromEnd)
      subject = subject - n;
    parts.push_back(isIn(subject, negated ? set.complement() : set));
  }
  return negated ? Formula::any(std::move(parts))
                 : Formula::all(std::move(parts));
}
