//===- MakePlan.cpp - From a mask to a plan -------------------------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
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
       /*full=*/false, TileExpr::constant(1), std::nullopt});
  return {tile, {ordinary}, facts.assumed};
}

static std::string textOf(const MaskNode &leaf) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  leaf.print(stream);
  return text;
}

namespace {
/// Each loss once.
class Losses {
public:
  explicit Losses(llvm::SmallVectorImpl<PlanLoss> *list) : list(list) {}

  void add(const PlanLoss &loss) {
    if (list && !llvm::is_contained(*list, loss))
      list->push_back(loss);
  }

  /// Notes each leaf without closed form, but no draw, whose tiles are known,
  /// and none that its own bounds leave few tiles.
  void addOpaque(const Pieces &pieces, const LengthFacts &facts) {
    if (!list)
      return;
    for (const Piece &piece : pieces)
      for (const OpaqueLiteral &literal : piece.opaque)
        if (!literal.bounded && !literal.leaf->getRandomBlocks())
          add({PlanLoss::Reason::OpaqueLeaf, PlanLoss::Visited::All,
               textOf(*literal.leaf), /*wantsLength=*/!facts.nk});
  }

private:
  llvm::SmallVectorImpl<PlanLoss> *list;
};
} // namespace

Plan plan::makePlan(const Mask &mask, TileShape tile, const LengthFacts &facts,
                    llvm::SmallVectorImpl<PlanLoss> *list) {
  assert(tile.queries > 0 && tile.keys > 0 && "tile sizes are positive");
  Losses losses(list);
  std::optional<Pieces> pieces = mask.pieces();
  if (!pieces) {
    losses.add({PlanLoss::Reason::ManyPieces});
    return makeDensePlan(tile, facts);
  }

  Plan plan;
  plan.tile = tile;
  plan.assumed = facts.assumed;
  dropKnownLeaves(*pieces, facts.assumed.keysMultiple);
  *pieces = normalizePieces(std::move(*pieces));
  losses.addOpaque(*pieces, facts);
  RowClasses parts = classifyRows(*pieces, tile);
  if (parts.areTooMany)
    losses.add({PlanLoss::Reason::ManyRowClasses, PlanLoss::Visited::Hull});
  for (const ClassPieces &part : parts.classes) {
    TileRows rows = makeTileRows(part, tile, facts);
    bool isOrdinary = plan.classes.empty();
    // A global token may turn out not to exist where lengths are known.
    if (!isOrdinary &&
        TileExpr::provablyLE(rows.rowEnd, rows.rowBegin, rows.facts))
      continue;
    std::vector<TileBand> bands;
    for (const Piece &piece : part.pieces)
      if (std::optional<TileBand> band = makeTileBand(piece, rows, tile)) {
        band->number = bands.size();
        bands.push_back(*band);
      }
    RowClass cls;
    cls.rowBegin = rows.rowBegin;
    cls.rowEnd = rows.rowEnd;
    cls.heavy = part.heavy;
    std::optional<PlanLoss::Visited> visited =
        makeSegments(std::move(bands), rows, tile, cls);
    if (visited)
      losses.add({PlanLoss::Reason::ManySegments, *visited});
    plan.classes.push_back(std::move(cls));
  }
  return plan;
}
