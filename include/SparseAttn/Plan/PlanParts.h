//===- PlanParts.h - Plans of parts -----------------------------*- C++ -*-===//
//
// Keys that stand a multiple of a step from the query, as in dilated windows
// and strided patterns, are a few in each contiguous tile. Where positions are
// folded by the step they are neighbours.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PLAN_PLANPARTS_H
#define SPARSEATTN_PLAN_PLANPARTS_H

#include "SparseAttn/Plan/Plan.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::sparse_attn::plan {

/// What the plans of an op may be made of.
struct PlanForms {
  KeyLayouts layouts = KeyLayouts::Contiguous;
  RowLayouts rowLayouts = RowLayouts::Contiguous;
  /// To keep the state of a row in memory, and to merge it with another, takes
  /// as long as so many pairs. Without it there are no parts.
  std::optional<int64_t> mergedRowPairs;
  /// Tiles of parts are not made smaller than this.
  TileShape leastTile = {32, 32};
};

/// Chooses the tile for a mask at lengths of which these facts hold.
using ChooseTileFn =
    llvm::function_ref<TileShape(const mask::Mask &, const LengthFacts &)>;

/// The piece in the numbers m of a residue modulo `step` (Part): of the pairs
/// whose positions are of one residue, those that it has. Nothing where it has
/// none, nullopt where that differs by the residue.
std::optional<mask::Pieces> foldPiece(const mask::Piece &piece, int64_t step);

/// The pairs of one residue modulo `step`, whatever the residue, of which the
/// numbers m are a pair of `piece`, which has neither sets nor opaque leaves.
mask::Piece unfoldPiece(mask::Piece piece, int64_t step);

/// makePlan for the tile that `chooseTile` has for the mask, or a plan of parts
/// where that is less work by a tenth, each with a tile of its own.
Plan makePlanOfParts(const mask::Mask &mask, ChooseTileFn chooseTile,
                     const LengthFacts &facts, const PlanForms &forms,
                     llvm::SmallVectorImpl<PlanLoss> *losses = nullptr);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_PLANPARTS_H
