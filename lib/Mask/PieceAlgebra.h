//===- PieceAlgebra.h - Set algebra on unions of pieces ---------*- C++ -*-===//
//
// Keeps unions of pieces small: literals that others imply, pieces that are
// empty, and pieces that others contain are dropped as they arise. All of it
// holds for 0 <= j < N, i < N and N >= 1, whatever the lengths are.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_MASK_PIECEALGEBRA_H
#define SPARSEATTN_LIB_MASK_PIECEALGEBRA_H

#include "SparseAttn/Mask/Piece.h"
#include <optional>

namespace mlir::sparse_attn::mask {

/// A lower limit of a(i) - b(i) over all i < N and N >= 1; nullopt when there
/// is none, or none that is easily found.
std::optional<int64_t> minDifference(const Bound &a, const Bound &b);

/// Drops the literals that hold anyway. Returns false when no pair can satisfy
/// the rest; true does not promise that one does.
bool simplify(Piece &piece);

/// True when each pair of `a` is provably one of `b`.
bool implies(const Piece &a, const Piece &b);

/// The literals of both.
Piece conjunction(const Piece &a, const Piece &b);

/// Adds `piece` to the union, simplified and merged with what is there.
void addPiece(Pieces &pieces, Piece piece);

/// Adds all of `more`; false when that makes more than `maxPieces`.
bool addPieces(Pieces &pieces, const Pieces &more, unsigned maxPieces);

/// The intersection of two unions; nullopt beyond `maxPieces`.
std::optional<Pieces> intersectPieces(const Pieces &a, const Pieces &b,
                                      unsigned maxPieces);

/// The complement of a union; nullopt beyond `maxPieces`.
std::optional<Pieces> complementPieces(const Pieces &pieces,
                                       unsigned maxPieces);

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_LIB_MASK_PIECEALGEBRA_H
