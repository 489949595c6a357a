//===- MakePlan.cpp - From a mask to a plan -------------------------------===//

#include "Planner.h"
#include "SparseAttn/Mask/Predicate.h"
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

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

namespace {
/// A class as it would be planned.
struct Candidate {
  RowClass cls;
  /// What is visited where segments would be too many.
  std::optional<PlanLoss::Visited> visited;
};

/// Plans one class of rows.
class ClassPlanner {
public:
  ClassPlanner(const ClassPieces &part, const TileRows &rows,
               const TileShape &tile)
      : part(part), rows(rows), tile(tile) {}

  /// In contiguous tiles only.
  Candidate planContiguous() const;
  /// In tiles of such layouts as fit, where that is less work by a tenth.
  Candidate planByLayouts() const;

private:
  Candidate start() const;
  void add(Candidate &candidate, const Pieces &pieces,
           const KeyAxis &axis) const;
  Candidate plan(const std::vector<KeyPart> &parts) const;
  double measure(const RowClass &cls) const;

  const ClassPieces &part;
  const TileRows &rows;
  const TileShape &tile;
};
} // namespace

Candidate ClassPlanner::start() const {
  Candidate candidate;
  candidate.cls.rowBegin = rows.rowBegin;
  candidate.cls.rowEnd = rows.rowEnd;
  candidate.cls.heavy = part.heavy;
  return candidate;
}

void ClassPlanner::add(Candidate &candidate, const Pieces &pieces,
                       const KeyAxis &axis) const {
  std::vector<TileBand> bands;
  for (const Piece &piece : pieces)
    if (std::optional<TileBand> band = makeTileBand(piece, rows, tile, axis)) {
      band->number = bands.size();
      bands.push_back(*band);
    }
  std::optional<PlanLoss::Visited> visited =
      makeSegments(std::move(bands), rows, axis, candidate.cls);
  if (visited)
    candidate.visited = visited;
}

Candidate ClassPlanner::planContiguous() const {
  Candidate candidate = start();
  add(candidate, part.pieces, KeyAxis(Layout(), tile));
  return candidate;
}

/// Each part computes its own pairs and no others, so that each of its partial
/// segments names them.
Candidate ClassPlanner::plan(const std::vector<KeyPart> &parts) const {
  Candidate candidate = start();
  for (const KeyPart &keys : parts) {
    size_t first = candidate.cls.segments.size();
    add(candidate, keys.pieces, KeyAxis(keys.layout, tile));
    Pieces pairs = keys.pieces;
    for (Piece &piece : pairs)
      endAtLastKey(piece);
    for (Segment &segment : llvm::drop_begin(candidate.cls.segments, first)) {
      segment.layout = keys.layout;
      if (!segment.full && !segment.where)
        segment.where = pairs;
    }
  }
  return candidate;
}

/// About the work at known lengths, or at a usual one: pairs of visited tiles,
/// of which those count for more in which the mask is evaluated.
double ClassPlanner::measure(const RowClass &cls) const {
  constexpr int64_t sampleLength = 4096, sampleTiles = 256;
  constexpr double partialCost = 1.25;
  int64_t nk =
      rows.facts.nk.value_or(std::max(rows.facts.nq.value_or(0), sampleLength));
  Lengths n = {rows.facts.nq.value_or(nk), nk};
  int64_t tiles = cls.numQueryTiles(tile, n);
  double work = 0;
  for (int64_t q = 0; q < tiles; q += std::max<int64_t>(1, tiles / sampleTiles))
    for (const Segment &segment : cls.segments)
      work += double(segment.keyTiles(q, n).size()) *
              double(segment.layout.tileSize(tile.keys)) *
              (segment.full ? 1 : partialCost);
  return work;
}

Candidate ClassPlanner::planByLayouts() const {
  constexpr double leastGain = 1.1;
  Candidate contiguous = planContiguous();
  std::vector<KeyPart> parts = splitByLayout(part.pieces, tile, rows.facts);
  if (parts.empty())
    return contiguous;
  Candidate other = plan(parts);
  bool pays = measure(other.cls) * leastGain <= measure(contiguous.cls);
  return pays ? other : contiguous;
}

Plan plan::makePlan(const Mask &mask, TileShape tile, const LengthFacts &facts,
                    llvm::SmallVectorImpl<PlanLoss> *list, KeyLayouts layouts) {
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
    ClassPlanner planner(part, rows, tile);
    // Heavy rows see all keys.
    bool byLayouts = layouts == KeyLayouts::Any && !part.heavy;
    Candidate candidate =
        byLayouts ? planner.planByLayouts() : planner.planContiguous();
    if (candidate.visited)
      losses.add({PlanLoss::Reason::ManySegments, *candidate.visited});
    plan.classes.push_back(std::move(candidate.cls));
  }
  return plan;
}
