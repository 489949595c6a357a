//===- Unknowns.h - What a proof asks about ---------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PROOF_UNKNOWNS_H
#define SPARSEATTN_LIB_PROOF_UNKNOWNS_H

#include "PresburgerFormula.h"
#include "SparseAttn/Mask/Piece.h"

namespace mlir::sparse_attn::proof {

/// The unknowns of one question: row r, query tile q, key tile kt, key j, and
/// the lengths that are not known; and what they must satisfy.
struct Unknowns {
  explicit Unknowns(const plan::LengthFacts &facts);

  /// i = r + nk - nq.
  Linear position() const { return row + nk - nq; }

  /// expr <= x.
  Formula atMost(const plan::TileExpr &expr, const Linear &x) {
    return problem.nonNegative(expr, -1, x, {q, nq, nk});
  }
  /// expr > x.
  Formula above(const plan::TileExpr &expr, const Linear &x) {
    return problem.nonNegative(expr, 1, x * -1 + (-1), {q, nq, nk});
  }
  /// begin <= x < end.
  Formula inside(const plan::TileExpr &begin, const Linear &x,
                 const plan::TileExpr &end) {
    return Formula::all({atMost(begin, x), above(end, x)});
  }
  Formula outside(const plan::TileExpr &begin, const Linear &x,
                  const plan::TileExpr &end) {
    return Formula::any({above(begin, x), atMost(end, x)});
  }
  /// The key tile is one of a segment's, or of the range of a draw.
  template <typename Part> Formula inside(const Part &part) {
    return Formula::all({above(part.when, Linear::number(0)),
                         inside(part.begin, keyTile, part.end)});
  }
  template <typename Part> Formula outside(const Part &part) {
    return Formula::any({atMost(part.when, Linear::number(0)),
                         outside(part.begin, keyTile, part.end)});
  }
  /// The pair of `row` and `key` satisfies the literals of `piece` that have a
  /// formula, or fails one of them.
  Formula literals(const mask::Piece &piece, bool negated) {
    return literals(piece, position(), key, nk, negated);
  }
  /// The same of the pair (i, j) of a sequence of n keys.
  Formula literals(const mask::Piece &piece, const Linear &i, const Linear &j,
                   const Linear &n, bool negated);

  Problem problem;
  Linear q, row, keyTile, key, nq, nk;
  std::vector<Formula> domain;

private:
  void requireMultiple(const Linear &form, int64_t divisor);
  Linear newVariable() { return Linear::variable(problem.addVariable()); }
};

} // namespace mlir::sparse_attn::proof

#endif // SPARSEATTN_LIB_PROOF_UNKNOWNS_H
