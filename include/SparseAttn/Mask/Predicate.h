//===- Predicate.h - How code tells whether a pair is live ------*- C++ -*-===//
//
// Code asks of a pair (i, j) as little as possible and of a row i the rest. In
// row i the pairs of a piece with bounds only are
//
//   low(i) <= j < high(i),   low = max of `lower`, high = min of `upper`,
//
// where the literals of rows hold, and no pair where they fail: there high may
// be taken to be -infinity. So pieces that bound j from one side only are one
// comparison together, j < max of their high(i), and a piece that sees whole
// rows costs none beside another: it makes that one's bounds infinite.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_MASK_PREDICATE_H
#define SPARSEATTN_MASK_PREDICATE_H

#include "SparseAttn/Mask/Mask.h"
#include <vector>

namespace mlir::sparse_attn::mask {

/// A union of pieces, or what all or any of some predicates say. No union is
/// false and no conjunction is true.
struct Predicate {
  enum class Kind { Union, All, Any };
  Kind kind = Kind::Union;
  Pieces pieces;
  std::vector<Predicate> operands;

  static Predicate unionOf(Pieces pieces);
  static Predicate all(std::vector<Predicate> operands);
  static Predicate any(std::vector<Predicate> operands);

  /// Instructions a pair, where what depends on the row or on the column alone
  /// is at hand.
  unsigned cost() const;
};

/// The pieces of a union by what is asked of a pair.
struct PiecesByTest {
  Pieces wholeRows; ///< nothing, or j < N for some rows
  Pieces columns;   ///< nothing that depends on i
  Pieces below;     ///< j < high(i), one comparison for all of them
  Pieces from;      ///< j >= low(i), likewise
  Pieces others;    ///< each is asked for by itself

  /// Code asks for ranges of positions, not for sets of them.
  explicit PiecesByTest(const Pieces &withSets);
};

/// Whether `literal` asks of i alone: the last block, which is no bound of N +
/// constant, or the listed rows, or their complement.
bool boundsRows(const OpaqueLiteral &literal);
/// Whether it is a bound of j from above, or from below.
bool boundsFromAbove(const OpaqueLiteral &literal);
bool boundsFromBelow(const OpaqueLiteral &literal);

/// The predicate of `mask` for 0 <= j < N and i < N.
Predicate makePredicate(const Mask &mask);

/// Adds j < N to `piece`, unless one of its upper bounds says as much.
void endAtLastKey(Piece &piece);

/// The same for any j >= 0: false where j >= N.
Predicate amongKeys(Predicate predicate);

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_MASK_PREDICATE_H
