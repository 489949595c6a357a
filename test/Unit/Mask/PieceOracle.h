//===- PieceOracle.h - Pieces read literally --------------------*- C++ -*-===//
//
// A second reading of the normal form, word by word from Piece.h, that shares
// no code with the library.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TEST_UNIT_MASK_PIECEORACLE_H
#define SPARSEATTN_TEST_UNIT_MASK_PIECEORACLE_H

#include "SparseAttn/Mask/Mask.h"

namespace mlir::sparse_attn::test {

using namespace mask;

inline int64_t plainMod(int64_t x, int64_t m) { return ((x % m) + m) % m; }

inline int64_t plainBound(const Bound &b, int64_t i, int64_t n) {
  // block * floor(i / block) is i without its remainder.
  int64_t query = b.block ? i - plainMod(i, b.block) : 0;
  return query + b.perKey * n + b.offset;
}

inline bool holdsLiterally(const Piece &piece, const Lengths &n, int64_t head,
                           int64_t i, int64_t j) {
  for (const Bound &b : piece.rowLower)
    if (i < plainBound(b, i, n.nk))
      return false;
  for (const Bound &b : piece.rowUpper)
    if (i >= plainBound(b, i, n.nk))
      return false;
  for (const Bound &b : piece.lower)
    if (j < plainBound(b, i, n.nk))
      return false;
  for (const Bound &b : piece.upper)
    if (j >= plainBound(b, i, n.nk))
      return false;
  for (const Residue &r : piece.residues) {
    int64_t subject = r.subject == Residue::Subject::Key     ? j
                      : r.subject == Residue::Subject::Query ? i
                                                             : j - i;
    int64_t rest = plainMod(subject, r.modulus);
    if (rest < r.begin || rest >= r.end)
      return false;
  }
  for (const PositionSet &s : piece.sets) {
    int64_t x = (s.ofKey ? j : i) - (s.fromEnd ? n.nk : 0);
    bool isIn = false;
    for (Range range : s.positions->ranges())
      isIn |= range.begin <= x && x < range.end;
    if (!isIn)
      return false;
  }
  for (const OpaqueLiteral &o : piece.opaque)
    if (o.leaf->contains(n, head, i, j) == o.negated)
      return false;
  return true;
}

inline bool holdsLiterally(const Pieces &pieces, const Lengths &n, int64_t head,
                           int64_t i, int64_t j) {
  for (const Piece &piece : pieces)
    if (holdsLiterally(piece, n, head, i, j))
      return true;
  return false;
}

} // namespace mlir::sparse_attn::test

#endif // SPARSEATTN_TEST_UNIT_MASK_PIECEORACLE_H
