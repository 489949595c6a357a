//===- Piece.h - Closed form of a mask: a union of bands --------*- C++ -*-===//
//
// Every mask of the algebra is a finite union of *pieces*, and a piece is a
// conjunction of literals: bounds on the query position i, bounds on the key
// position j that are non-decreasing functions of i, congruences, and opaque
// leaves (random draws, masks of other libraries). The planner, the counter
// and the Presburger translation all start from this one normal form, so that
// composition never costs closed form.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_MASK_PIECE_H
#define SPARSEATTN_MASK_PIECE_H

#include "SparseAttn/Mask/Interval.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <memory>
#include <optional>

namespace mlir::sparse_attn::mask {

class MaskNode;

/// The function i |-> block * floor(i / block) + perKey * N + offset, with
/// N = Sk; the first term is absent when block == 0. Non-decreasing in i.
struct Bound {
  int64_t block = 0;
  int64_t perKey = 0;
  int64_t offset = 0;

  static Bound constant(int64_t offset) { return {0, 0, offset}; }
  /// N + offset.
  static Bound fromEnd(int64_t offset) { return {0, 1, offset}; }
  /// i + offset.
  static Bound diagonal(int64_t offset) { return {1, 0, offset}; }
  /// block * floor(i / block) + offset.
  static Bound blockDiagonal(int64_t block, int64_t offset) {
    return {block, 0, offset};
  }

  bool dependsOnQuery() const { return block != 0; }
  int64_t evaluate(int64_t i, int64_t n) const;
  /// Whether it never leaves 32 bits at any position.
  bool isSmall() const;
  friend bool operator==(const Bound &a, const Bound &b) {
    return a.block == b.block && a.perKey == b.perKey && a.offset == b.offset;
  }
};

/// subject mod modulus lies in [begin, end), mod being the non-negative
/// remainder and 0 <= begin < end <= modulus <= 2^31.
struct Residue {
  enum class Subject { Key, Query, KeyMinusQuery };
  Subject subject = Subject::Key;
  int64_t modulus = 1;
  int64_t begin = 0;
  int64_t end = 1;

  bool holds(int64_t i, int64_t j) const;
  friend bool operator==(const Residue &a, const Residue &b) {
    return a.subject == b.subject && a.modulus == b.modulus &&
           a.begin == b.begin && a.end == b.end;
  }
};

/// The position of the key, or of the query, is one of `positions`, which count
/// from N where `fromEnd` says so. One literal stands for many tokens, and for
/// all that are none of them.
struct PositionSet {
  bool ofKey = true;
  bool fromEnd = false;
  std::shared_ptr<const IntervalSet> positions;

  /// What its positions may be, 0 <= j and i, j < N: complements are taken
  /// inside of it. An end that is none is far away.
  Range universe() const;
  PositionSet complement() const;
  /// The positions at N = n.
  IntervalSet at(int64_t n) const;
  bool isOf(const PositionSet &other) const {
    return ofKey == other.ofKey && fromEnd == other.fromEnd;
  }
  friend bool operator==(const PositionSet &a, const PositionSet &b) {
    return a.isOf(b) &&
           (a.positions == b.positions || *a.positions == *b.positions);
  }
};

/// A leaf without closed form, or the complement of one.
struct OpaqueLiteral {
  std::shared_ptr<const MaskNode> leaf;
  bool negated = false;
  /// The leaf's own bounds stand beside it in the piece, and are nearly exact.
  bool bounded = false;

  /// The fact (DataFact) that it asks for; 0 where it is no leaf of data, or
  /// the complement of one.
  unsigned getDataFact() const;
  /// Whether it asks for pairs of one document.
  bool isDocument() const;

  friend bool operator==(const OpaqueLiteral &a, const OpaqueLiteral &b) {
    return a.leaf == b.leaf && a.negated == b.negated && a.bounded == b.bounded;
  }
};

/// The pairs (i, j) for which all literals hold. An empty list constrains
/// nothing.
struct Piece {
  /// i >= each of rowLower and i < each of rowUpper; these bounds do not
  /// depend on the query (block == 0).
  llvm::SmallVector<Bound, 1> rowLower, rowUpper;
  /// j >= each of lower(i) and j < each of upper(i).
  llvm::SmallVector<Bound, 2> lower, upper;
  llvm::SmallVector<Residue, 1> residues;
  llvm::SmallVector<PositionSet, 1> sets;
  llvm::SmallVector<OpaqueLiteral, 1> opaque;

  /// True when the literals are bounds only: the piece is a band, and a tile
  /// inside its bounds is full.
  bool isBand() const {
    return residues.empty() && sets.empty() && opaque.empty();
  }
  /// The facts that it asks for: tiles without any pair of which they hold have
  /// no live pair.
  unsigned getDataFacts() const;
  /// True when its literals are bounds, and documents: inside of its bounds a
  /// tile of one document is full.
  bool isBandOfDocuments() const;
  bool hasRowBounds() const { return !rowLower.empty() || !rowUpper.empty(); }
  /// The same literals in the same order.
  friend bool operator==(const Piece &a, const Piece &b) {
    return a.rowLower == b.rowLower && a.rowUpper == b.rowUpper &&
           a.lower == b.lower && a.upper == b.upper &&
           a.residues == b.residues && a.sets == b.sets && a.opaque == b.opaque;
  }
};

/// The union of its pieces, which may overlap.
using Pieces = llvm::SmallVector<Piece, 4>;
llvm::hash_code hash_value(const Pieces &pieces);

/// The pairs of `pieces` that none of `others` has; nullopt beyond `maxPieces`.
std::optional<Pieces> subtractPieces(const Pieces &pieces, const Pieces &others,
                                     unsigned maxPieces);

/// Drops the literals without closed form that say no more than the bounds
/// beside them where N is a multiple of `keysMultiple`: of a mask's last block,
/// which has all its rows then.
void dropKnownLeaves(Pieces &pieces, int64_t keysMultiple);

/// The pieces with a range of rows in the place of sets of them, and of keys;
/// nullopt where that makes more than `maxPieces`.
std::optional<Pieces> expandSets(const Pieces &pieces, size_t maxPieces,
                                 bool ofRows = true, bool ofKeys = true);

/// The part of `keys` inside the lower and upper bounds of `piece` in row i;
/// empty where row bounds or sets of rows exclude i. Residues, sets of keys and
/// opaque literals are not looked at.
Range bandOfRow(const Piece &piece, int64_t n, int64_t i, Range keys);

/// The keys of `band` that the sets of `piece` have.
IntervalSet keysOfSets(const Piece &piece, int64_t n, Range band);

/// The integers x of `range` with x - origin mod modulus in [begin, end).
IntervalSet residueClass(const Residue &residue, int64_t origin, Range range);

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_MASK_PIECE_H
