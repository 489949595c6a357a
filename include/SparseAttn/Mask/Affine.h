//===- Affine.h - Masks as Presburger sets ----------------------*- C++ -*-===//
//
// The integer set of a mask whose pieces are all quasi-affine, for proofs with
// MLIR's Presburger library.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_MASK_AFFINE_H
#define SPARSEATTN_MASK_AFFINE_H

#include "SparseAttn/Mask/Piece.h"
#include "mlir/Analysis/Presburger/IntegerRelation.h"
#include "mlir/Analysis/Presburger/PresburgerRelation.h"
#include <optional>

namespace mlir::sparse_attn::mask {

class Mask;

/// The set {(i, j)} with symbols [nq, nk] of `piece`; floor divisions become
/// local variables. nullopt when the piece has opaque literals. The bounds
/// 0 <= j < nk and nk - nq <= i < nk are not added.
std::optional<presburger::IntegerPolyhedron> toPolyhedron(const Piece &piece);

/// The union over the pieces of `mask`; nullopt when a piece is opaque or the
/// mask has no closed form.
std::optional<presburger::PresburgerSet> toPresburger(const Mask &mask);

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_MASK_AFFINE_H
