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
  /// none whose tiles data tells, and none that its own bounds leave few tiles.
  void addOpaque(const Pieces &pieces, const LengthFacts &facts) {
    if (!list)
      return;
    for (const Piece &piece : pieces)
      for (const OpaqueLiteral &literal : piece.opaque)
        if (!literal.bounded && !literal.leaf->getRandomBlocks() &&
            !literal.getDataFact())
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
  /// Sets of keys were too many for ranges.
  bool hasManyPieces = false;
};

/// Plans one class of rows.
class ClassPlanner {
public:
  ClassPlanner(const ClassPieces &part, const TileRows &rows,
               const TileShape &tile)
      : part(part), rows(rows), tile(tile) {}

  /// In contiguous tiles only.
  Candidate planContiguous(size_t maxPieces = defaultMaxPieces) const;
  /// In tiles of such layouts as fit, where that is less work by enough.
  Candidate planByLayouts(KeyLayouts layouts) const;

private:
  Candidate start() const;
  void add(Candidate &candidate, const Pieces &pieces,
           const KeyAxis &axis) const;
  static void namePairs(Candidate &candidate, size_t first, Pieces pieces);
  Candidate plan(const std::vector<KeyPart> &parts) const;
  double measure(const RowClass &cls, int64_t loopKeys) const;

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
  candidate.cls.layout = part.layout;
  return candidate;
}

void ClassPlanner::add(Candidate &candidate, const Pieces &pieces,
                       const KeyAxis &axis) const {
  std::vector<TileBand> bands;
  for (const Piece &piece : pieces)
    if (std::optional<TileBand> band = makeTileBand(piece, rows, tile, axis)) {
      // Blocks are drawn for neighbouring rows.
      if (!part.layout.isContiguous())
        band->draw.reset();
      band->number = bands.size();
      bands.push_back(*band);
    }
  std::optional<PlanLoss::Visited> visited =
      makeSegments(std::move(bands), rows, axis, candidate.cls);
  if (visited)
    candidate.visited = visited;
}

/// Sets become ranges, where that is not too many pieces.
Candidate ClassPlanner::planContiguous(size_t maxPieces) const {
  Candidate candidate = start();
  std::optional<Pieces> ranges = expandSets(part.pieces, maxPieces);
  candidate.hasManyPieces = !ranges;
  Pieces pieces = ranges ? normalizePieces(std::move(*ranges)) : part.pieces;
  add(candidate, pieces, KeyAxis(Layout(), tile));
  // The rows of a layout leave less of the mask than its code asks for.
  auto hasLeaf = [](const Piece &piece) { return !piece.opaque.empty(); };
  constexpr size_t maxNamed = 8;
  if (!part.layout.isContiguous() && pieces.size() <= maxNamed &&
      llvm::none_of(pieces, hasLeaf))
    namePairs(candidate, /*first=*/0, pieces);
  return candidate;
}

/// Says in the partial segments from number `first` on what they compute, where
/// they do not.
void ClassPlanner::namePairs(Candidate &candidate, size_t first,
                             Pieces pieces) {
  for (Piece &piece : pieces)
    endAtLastKey(piece);
  for (Segment &segment : llvm::drop_begin(candidate.cls.segments, first))
    if (!segment.full && !segment.where)
      segment.where = pieces;
}

/// Each part computes its own pairs and no others, so that each of its partial
/// segments names them.
Candidate ClassPlanner::plan(const std::vector<KeyPart> &parts) const {
  Candidate candidate = start();
  for (const KeyPart &keys : parts) {
    size_t first = candidate.cls.segments.size();
    add(candidate, keys.pieces, KeyAxis(keys.layout, tile));
    namePairs(candidate, first, keys.pieces);
    for (Segment &segment : llvm::drop_begin(candidate.cls.segments, first))
      segment.layout = keys.layout;
  }
  return candidate;
}

/// Segments whose tiles one loop visits.
static bool shareLoop(const Segment &a, const Segment &b) {
  return a.full == b.full && a.layout == b.layout && !a.where == !b.where &&
         (!a.where || *a.where == *b.where);
}

static int64_t countLoops(const RowClass &cls) {
  llvm::SmallVector<const Segment *> firsts;
  for (const Segment &segment : cls.segments)
    if (llvm::none_of(firsts, [&](const Segment *first) {
          return shareLoop(*first, segment);
        }))
      firsts.push_back(&segment);
  return firsts.size();
}

/// About the work at known lengths, or at a usual one: keys of visited tiles,
/// of which those count for more in which the mask is evaluated, and what each
/// loop costs besides.
double ClassPlanner::measure(const RowClass &cls, int64_t loopKeys) const {
  constexpr int64_t sampleTiles = 256;
  Lengths n = sampleLengths(rows.facts);
  int64_t tiles = cls.numQueryTiles(tile, n);
  double loops = double(countLoops(cls) * loopKeys), work = 0;
  for (int64_t q = 0; q < tiles;
       q += std::max<int64_t>(1, tiles / sampleTiles)) {
    work += loops;
    for (const Segment &segment : cls.segments)
      work += double(segment.keyTiles(q, n).size()) *
              double(segment.layout.tileSize(tile.keys)) *
              (segment.full ? 1 : kPartialCost);
  }
  return work;
}

namespace {
/// What is asked of layouts.
struct LayoutCosts {
  /// The work is to be less by this factor.
  double leastGain;
  /// What a loop over tiles costs beside its tiles, as keys that these would
  /// have more.
  int64_t loopKeys;
};
} // namespace

static constexpr LayoutCosts kCosts = {kLeastGain, 0};
/// By the replay of kernels of Longformer and StreamingLLM with and without,
/// bench/gpu/predict.py.
static constexpr LayoutCosts kKernelCosts = {1.02, 8};

Candidate ClassPlanner::planByLayouts(KeyLayouts layouts) const {
  // Where there is another way, so many tokens are not worth as many segments.
  constexpr size_t fewPieces = 12;
  LayoutCosts costs = layouts == KeyLayouts::InKernels ? kKernelCosts : kCosts;
  std::vector<KeyPart> parts = splitByLayout(part.pieces, tile, rows.facts);
  if (parts.empty())
    return planContiguous();
  Candidate contiguous = planContiguous(fewPieces);
  Candidate other = plan(parts);
  bool pays = measure(other.cls, costs.loopKeys) * costs.leastGain <=
              measure(contiguous.cls, costs.loopKeys);
  return pays ? other : contiguous;
}

namespace {
/// Plans a union of pieces.
class Planner {
public:
  Planner(const Pieces &pieces, TileShape tile, const LengthFacts &facts,
          KeyLayouts layouts)
      : pieces(pieces), tile(tile), facts(facts), layouts(layouts) {}

  Plan run(RowOptions rows, Losses &losses) const;
  /// The plan with rows in lists, and in lattices where that is less work.
  Plan runWithRowLayouts(Losses &losses) const;

private:
  Pieces withRanges(RowOptions options, Losses &losses) const;
  double measure(const Plan &plan) const;

  const Pieces &pieces;
  TileShape tile;
  const LengthFacts &facts;
  KeyLayouts layouts;
};
} // namespace

/// The pieces with ranges in the place of sets of rows that no list holds, if
/// these are not too many.
Pieces Planner::withRanges(RowOptions options, Losses &losses) const {
  Pieces result;
  for (const Piece &piece : pieces) {
    std::optional<Pieces> ranges;
    if (!findRowLayout(piece, tile, facts, options)) {
      ranges = expandSets({piece}, defaultMaxPieces, /*ofRows=*/true,
                          /*ofKeys=*/false);
      if (!ranges)
        losses.add({PlanLoss::Reason::ManyPieces, PlanLoss::Visited::Hull});
    }
    if (ranges)
      result.append(*ranges);
    else
      result.push_back(piece);
  }
  return normalizePieces(std::move(result));
}

Plan Planner::run(RowOptions options, Losses &losses) const {
  Plan plan;
  plan.tile = tile;
  plan.assumed = facts.assumed;
  RowClasses parts =
      classifyRows(withRanges(options, losses), tile, facts, options);
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
    bool byLayouts = layouts != KeyLayouts::Contiguous && !part.heavy;
    Candidate candidate =
        byLayouts ? planner.planByLayouts(layouts) : planner.planContiguous();
    if (candidate.visited)
      losses.add({PlanLoss::Reason::ManySegments, *candidate.visited});
    if (candidate.hasManyPieces)
      losses.add({PlanLoss::Reason::ManyPieces, PlanLoss::Visited::Hull});
    plan.classes.push_back(std::move(candidate.cls));
  }
  return plan;
}

/// The pairs of visited tiles at known lengths, or at a usual one.
double Planner::measure(const Plan &plan) const {
  return double(countVisitedPairs(plan, sampleLengths(facts), /*head=*/0));
}

static bool hasRowsOfPeriods(const Pieces &pieces) {
  return llvm::any_of(pieces, [](const Piece &piece) {
    return llvm::any_of(piece.residues, [](const Residue &residue) {
      return residue.subject == Residue::Subject::Query;
    });
  });
}

Plan Planner::runWithRowLayouts(Losses &losses) const {
  RowOptions best = {/*lists=*/true};
  if (!hasRowsOfPeriods(pieces))
    return run(best, losses);
  Losses none(nullptr);
  double work = measure(run(best, none));
  for (RowOptions options : {RowOptions{true, /*lattices=*/true},
                             RowOptions{true, true, /*rest=*/true}}) {
    double other = measure(run(options, none));
    if (other * kLeastGain > work)
      continue;
    best = options;
    work = other;
  }
  return run(best, losses);
}

/// Sets that count from a known end count from 0.
static void resolveSets(Pieces &pieces, const LengthFacts &facts) {
  if (!facts.nk)
    return;
  for (Piece &piece : pieces)
    for (PositionSet &set : piece.sets)
      if (set.fromEnd) {
        IntervalSet positions = set.at(*facts.nk);
        set.fromEnd = false;
        set.positions = std::make_shared<const IntervalSet>(
            positions.intersect(set.universe()));
      }
}

Plan plan::makePlan(const Mask &mask, TileShape tile, const LengthFacts &facts,
                    llvm::SmallVectorImpl<PlanLoss> *list, KeyLayouts layouts,
                    RowLayouts rowLayouts) {
  assert(tile.queries > 0 && tile.keys > 0 && "tile sizes are positive");
  Losses losses(list);
  std::optional<Pieces> pieces = mask.pieces();
  if (!pieces) {
    losses.add({PlanLoss::Reason::ManyPieces});
    return makeDensePlan(tile, facts);
  }
  dropKnownLeaves(*pieces, facts.assumed.keysMultiple);
  resolveSets(*pieces, facts);
  *pieces = normalizePieces(std::move(*pieces));
  losses.addOpaque(*pieces, facts);
  Planner planner(*pieces, tile, facts, layouts);
  return rowLayouts == RowLayouts::Any ? planner.runWithRowLayouts(losses)
                                       : planner.run(RowOptions(), losses);
}
