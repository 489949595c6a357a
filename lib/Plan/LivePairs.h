//===- LivePairs.h - Which literals cut the tiles of a segment --*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PLAN_LIVEPAIRS_H
#define SPARSEATTN_LIB_PLAN_LIVEPAIRS_H

#include "Planner.h"

namespace mlir::sparse_attn::plan {

/// Which bounds of its band may cut a segment: those from below at the left of
/// the full tiles, those from above at their right.
struct Edges {
  bool lower = true, upper = true;
};

/// The pairs that are live in tiles of one class of rows.
class LivePairs {
public:
  /// `bands`: those of all pieces, by their numbers.
  LivePairs(std::vector<TileBand> bands, const TileRows &rows,
            const KeyAxis &axis)
      : bands(std::move(bands)), rows(rows), axis(axis) {}

  /// The union of pieces that is the mask in `tiles`, which are tiles of
  /// `owner`, no others than `edges` of which cut them; those of the bands
  /// `claimed` are not live there. nullopt where that is the mask itself, or
  /// has no closed form.
  std::optional<mask::Pieces> find(const TileInterval &tiles,
                                   const TileBand &owner, Edges edges,
                                   llvm::ArrayRef<unsigned> claimed) const;
  const LengthFacts &getFacts() const { return rows.facts; }

private:
  void dropRowBounds(mask::Piece &piece) const;
  void dropKeyBounds(mask::Piece &piece, const TileInterval &tiles) const;
  bool mayBeLive(const TileBand &band, const TileInterval &tiles) const;

  std::vector<TileBand> bands;
  TileRows rows;
  KeyAxis axis;
};

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_LIB_PLAN_LIVEPAIRS_H
