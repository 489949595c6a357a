//===- MakePlan.cpp - From a mask to a plan -------------------------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include <cassert>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

/// One partial segment over all keys.
static Plan makeDensePlan(TileShape tile, const LengthFacts &facts) {
  RowClass ordinary;
  ordinary.rowEnd = TileExpr::numQueries().simplify(facts);
  ordinary.segments.push_back(
      {TileExpr::constant(0),
       TileExpr::numKeys().ceilDiv(tile.keys).simplify(facts),
       /*full=*/false});
  return {tile, {ordinary}};
}

Plan plan::makePlan(const Mask &mask, TileShape tile,
                    const LengthFacts &facts) {
  assert(tile.queries > 0 && tile.keys > 0 && "tile sizes are positive");
  std::optional<Pieces> pieces = mask.pieces();
  if (!pieces)
    return makeDensePlan(tile, facts);

  Plan plan;
  plan.tile = tile;
  for (const ClassPieces &part :
       classifyRows(normalizePieces(std::move(*pieces)), tile)) {
    TileRows rows = makeTileRows(part, tile, facts);
    bool isOrdinary = plan.classes.empty();
    // With known lengths a global token may turn out not to exist.
    if (!isOrdinary &&
        TileExpr::provablyLE(rows.rowEnd, rows.rowBegin, rows.facts))
      continue;
    std::vector<TileBand> bands;
    for (const Piece &piece : part.pieces)
      if (std::optional<TileBand> band = makeTileBand(piece, rows, tile))
        bands.push_back(*band);
    RowClass cls;
    cls.rowBegin = rows.rowBegin;
    cls.rowEnd = rows.rowEnd;
    cls.heavy = part.heavy;
    makeSegments(
        std::move(bands),
        {TileExpr::constant(0), TileExpr::numKeys().ceilDiv(tile.keys)},
        rows.facts, cls);
    plan.classes.push_back(std::move(cls));
  }
  return plan;
}
