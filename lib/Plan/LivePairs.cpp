//===- LivePairs.cpp - Which literals cut the tiles of a segment ----------===//
//
// In the key tiles [begin, end) of a query tile whose rows are [first, last], a
// bound of a piece cuts none where
//
//   lower(last) <= begin * Bn,  or  end * Bn <= upper(first),
//
// as bounds do not decrease with the row. A piece that is live in none of the
// tiles is not asked for at all.
//
//===----------------------------------------------------------------------===//

#include "LivePairs.h"
#include "SparseAttn/Mask/Predicate.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

static unsigned countLiterals(const Piece &piece) {
  return piece.rowLower.size() + piece.rowUpper.size() + piece.lower.size() +
         piece.upper.size() + piece.residues.size() + piece.sets.size() +
         piece.opaque.size();
}

/// All rows of the tile satisfy these anyway.
void LivePairs::dropRowBounds(Piece &piece) const {
  llvm::erase_if(piece.rowLower, [&](const Bound &bound) {
    return TileExpr::provablyLE(at(bound, rows.first), rows.first, rows.facts);
  });
  llvm::erase_if(piece.rowUpper, [&](const Bound &bound) {
    return TileExpr::provablyLE(rows.end, at(bound, rows.first), rows.facts);
  });
}

void LivePairs::dropKeyBounds(Piece &piece, const TileInterval &tiles) const {
  TileExpr last = rows.roundedEnd - 1;
  int64_t size = axis.tileSize();
  llvm::erase_if(piece.lower, [&](const Bound &bound) {
    std::optional<TileExpr> slots = axis.slotsBelow(at(bound, last));
    return slots &&
           TileExpr::provablyLE(slots->ceilDiv(size), tiles.begin, rows.facts);
  });
  llvm::erase_if(piece.upper, [&](const Bound &bound) {
    std::optional<TileExpr> slots = axis.slotsBelow(at(bound, rows.first));
    return slots &&
           TileExpr::provablyLE(tiles.end, slots->floorDiv(size), rows.facts);
  });
}

bool LivePairs::mayBeLive(const TileBand &band,
                          const TileInterval &tiles) const {
  return !TileExpr::provablyLE(band.live.end, tiles.begin, rows.facts) &&
         !TileExpr::provablyLE(tiles.end, band.live.begin, rows.facts);
}

std::optional<Pieces> LivePairs::find(const TileInterval &tiles,
                                      const TileBand &owner, Edges edges,
                                      llvm::ArrayRef<unsigned> claimed) const {
  Pieces pieces;
  bool isShorter = false;
  for (const TileBand &band : bands) {
    bool isOwner = band.number == owner.number;
    if (!isOwner &&
        (llvm::is_contained(claimed, band.number) || !mayBeLive(band, tiles))) {
      isShorter = true;
      continue;
    }
    if (!band.piece.opaque.empty())
      return std::nullopt;
    Piece piece = band.piece;
    endAtLastKey(piece);
    bool hasEnd = piece.upper.size() > band.piece.upper.size();
    if (isOwner && !edges.lower)
      piece.lower.clear();
    if (isOwner && !edges.upper)
      piece.upper.clear();
    dropRowBounds(piece);
    dropKeyBounds(piece, tiles);
    // The end of the keys is asked for without being a literal of the mask.
    hasEnd &= llvm::is_contained(piece.upper, Bound::fromEnd(0));
    isShorter |= countLiterals(piece) - hasEnd < countLiterals(band.piece);
    bool isAll = piece.upper.size() == countLiterals(piece) &&
                 llvm::all_of(piece.upper, [](const Bound &bound) {
                   return bound == Bound::fromEnd(0);
                 });
    if (isAll)
      return Pieces{piece};
    pieces.push_back(std::move(piece));
  }
  if (!isShorter)
    return std::nullopt;
  return pieces;
}
