//===- Piece.cpp - Closed form of a mask: a union of bands ----------------===//

#include "SparseAttn/Mask/Piece.h"
#include "Integer.h"
#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::SmallVector;

int64_t Bound::evaluate(int64_t i, int64_t n) const {
  int64_t query = block == 0 ? 0 : block == 1 ? i : block * floorDiv(i, block);
  return query + perKey * n + offset;
}

bool Residue::holds(int64_t i, int64_t j) const {
  int64_t x = subject == Subject::Key     ? j
              : subject == Subject::Query ? i
                                          : j - i;
  int64_t r = floorMod(x, modulus);
  return begin <= r && r < end;
}

static llvm::hash_code hashOf(const Piece &piece) {
  llvm::hash_code code = llvm::hash_value(piece.opaque.size());
  for (const auto *bounds : {&piece.rowLower, &piece.rowUpper})
    for (const Bound &bound : *bounds)
      code = llvm::hash_combine(code, bound.block, bound.perKey, bound.offset);
  for (const auto *bounds : {&piece.lower, &piece.upper})
    for (const Bound &bound : *bounds)
      code = llvm::hash_combine(code, bound.block, bound.perKey, bound.offset);
  for (const Residue &residue : piece.residues)
    code = llvm::hash_combine(code, unsigned(residue.subject), residue.modulus,
                              residue.begin, residue.end);
  return code;
}

llvm::hash_code mask::hash_value(const Pieces &pieces) {
  llvm::hash_code code = llvm::hash_value(pieces.size());
  for (const Piece &piece : pieces)
    code = llvm::hash_combine(code, hashOf(piece));
  return code;
}

Range mask::bandOfRow(const Piece &piece, int64_t n, int64_t i, Range keys) {
  for (const Bound &bound : piece.rowLower)
    if (i < bound.evaluate(i, n))
      return {};
  for (const Bound &bound : piece.rowUpper)
    if (i >= bound.evaluate(i, n))
      return {};
  for (const Bound &bound : piece.lower)
    keys.begin = std::max(keys.begin, bound.evaluate(i, n));
  for (const Bound &bound : piece.upper)
    keys.end = std::min(keys.end, bound.evaluate(i, n));
  return keys.empty() ? Range() : keys;
}

IntervalSet mask::residueClass(const Residue &residue, int64_t origin,
                               Range range) {
  SmallVector<Range> ranges;
  if (range.empty() || residue.begin >= residue.end)
    return {};
  // The copies of [begin, end) repeat every `modulus`; the first one to look
  // at is the last that starts at or before range.begin.
  int64_t x = range.begin -
              floorMod(range.begin - origin - residue.begin, residue.modulus);
  for (; x < range.end; x += residue.modulus) {
    Range copy{x, x + (residue.end - residue.begin)};
    copy = copy.intersect(range);
    if (!copy.empty())
      ranges.push_back(copy);
  }
  return IntervalSet::fromRanges(std::move(ranges));
}

void mask::dropKnownLeaves(Pieces &pieces, int64_t keysMultiple) {
  for (Piece &piece : pieces)
    llvm::erase_if(piece.opaque, [&](const OpaqueLiteral &literal) {
      const LastBlock *last = literal.leaf->getLastBlock();
      return last && literal.bounded && !literal.negated &&
             keysMultiple % last->block == 0;
    });
}
