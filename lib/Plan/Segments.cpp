//===- Segments.cpp - Disjoint segments in closed form --------------------===//
//
// Bands claim key tiles one after another; what an earlier band has claimed is
// cut out of a later one. With claims kept normal, end >= begin, the set
// [a, b) minus [c, d) is [a, min(b, c)) and [max(a, d), b), whatever the order
// of the four numbers: no tile is ever enumerated. A claim that holds only
// where a condition does leaves, where it does not, what it would have taken.
//
//===----------------------------------------------------------------------===//

#include "LivePairs.h"
#include "llvm/ADT/STLExtras.h"
#include <tuple>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

/// More segments, or longer bounds, cost a kernel more than the partial tiles
/// that they save.
static constexpr unsigned maxSegments = 24, maxNodes = 600;

/// A kernel has a loop for each of what is asked of the pairs of partial tiles,
/// and on GPUs one more that asks all of it: there a third condition spills.
static constexpr unsigned maxConditions = 2;

static unsigned countNodes(const TileExpr &expr) {
  switch (expr.getKind()) {
  case TileExpr::Kind::Constant:
  case TileExpr::Kind::QueryTile:
  case TileExpr::Kind::NumQueries:
  case TileExpr::Kind::NumKeys:
    return 1;
  case TileExpr::Kind::Mul:
  case TileExpr::Kind::FloorDiv:
    return 1 + countNodes(expr.getLhs());
  default:
    return 1 + countNodes(expr.getLhs()) + countNodes(expr.getRhs());
  }
}

namespace {
/// Collects the segments of one class.
class SegmentBuilder {
public:
  /// `pairs`: null where no segment is to tell its live pairs.
  SegmentBuilder(const LengthFacts &facts, const LivePairs *pairs)
      : facts(facts), pairs(pairs) {}

  void add(const TileBand &band);
  /// What no band so far has claimed of `interval`.
  llvm::SmallVector<TileInterval> unclaimed(const TileInterval &interval) const;
  bool isTooLarge() const;
  /// Whether partial segments ask too many different things.
  bool hasTooManyConditions() const;
  /// The bands are in the order left, moving, right.
  void finish(RowClass &cls) const;

private:
  using Placed = std::pair<TileBand::Place, Segment>;

  void subtract(const TileInterval &from, const TileInterval &claim,
                llvm::SmallVectorImpl<TileInterval> &rest) const;
  void split(const TileInterval &part, const TileBand &band);
  void appendFull(const TileInterval &tiles, const TileBand &band);
  void appendPartial(const TileInterval &tiles, const TileBand &band,
                     Edges edges = {});
  void append(Segment segment, TileBand::Place place);

  LengthFacts facts;
  const LivePairs *pairs;
  llvm::SmallVector<unsigned> claimed;
  llvm::SmallVector<TileInterval> claims;
  std::vector<Placed> segments;
};
} // namespace

void SegmentBuilder::subtract(const TileInterval &from,
                              const TileInterval &claim,
                              llvm::SmallVectorImpl<TileInterval> &rest) const {
  llvm::SmallVector<TileInterval, 3> parts = {
      {from.begin, TileExpr::min(from.end, claim.begin), from.when},
      {TileExpr::max(from.begin, claim.end), from.end, from.when}};
  if (!claim.isUnconditional()) {
    TileInterval both = {TileExpr::max(from.begin, claim.begin),
                         TileExpr::min(from.end, claim.end), from.when};
    both.guardBy(negated(claim.when));
    parts.push_back(both);
  }
  for (const TileInterval &part : parts)
    if (TileInterval simple = part.simplify(facts);
        !simple.isProvablyEmpty(facts))
      rest.push_back(simple);
}

llvm::SmallVector<TileInterval>
SegmentBuilder::unclaimed(const TileInterval &interval) const {
  llvm::SmallVector<TileInterval> parts = {interval}, rest;
  for (const TileInterval &claim : claims) {
    rest.clear();
    for (const TileInterval &part : parts)
      subtract(part, claim, rest);
    parts = rest;
    if (parts.size() > maxSegments)
      break;
  }
  return parts;
}

void SegmentBuilder::add(const TileBand &band) {
  for (const TileInterval &part : unclaimed(band.live))
    split(part, band);
  TileInterval claim = band.live;
  claim.end = TileExpr::max(claim.begin, claim.end).simplify(facts);
  claims.push_back(claim);
  claimed.push_back(band.number);
}

void SegmentBuilder::split(const TileInterval &part, const TileBand &band) {
  if (!band.full) {
    appendPartial(part, band);
    return;
  }
  // part.begin <= a <= b <= part.end, or all parts are empty.
  TileExpr a =
      TileExpr::max(part.begin, TileExpr::min(band.full->begin, part.end))
          .simplify(facts);
  TileExpr b =
      TileExpr::max(a, TileExpr::min(band.full->end, part.end)).simplify(facts);
  if (TileExpr::provablyLE(b, a, facts)) {
    appendPartial(part, band);
    return;
  }
  TileInterval full = {a, b, part.when}, masked = full;
  // A tile at the left of `full` lies before its beginning, and so before its
  // end, unless that is the smaller; one at the right is never before its
  // beginning.
  bool isTurned =
      !TileExpr::provablyLE(band.full->begin, band.full->end, facts) &&
      !TileExpr::provablyLE(a, band.full->end, facts);
  appendPartial({part.begin, a, part.when}, band,
                {/*lower=*/true, /*upper=*/isTurned});
  if (!band.full->isUnconditional()) {
    full.guardBy(band.full->when);
    masked.guardBy(negated(band.full->when));
    appendPartial(masked, band, {/*lower=*/false, /*upper=*/false});
  }
  appendFull(full, band);
  appendPartial({b, part.end, part.when}, band,
                {/*lower=*/false, /*upper=*/true});
}

void SegmentBuilder::appendFull(const TileInterval &tiles,
                                const TileBand &band) {
  append({tiles.begin, tiles.end, /*full=*/true, tiles.when, std::nullopt},
         band.place);
}

void SegmentBuilder::appendPartial(const TileInterval &tiles,
                                   const TileBand &band, Edges edges) {
  std::optional<mask::Pieces> where;
  if (pairs && band.number != TileBand::noNumber)
    where = pairs->find(tiles.simplify(facts), band, edges, claimed);
  append({tiles.begin, tiles.end, /*full=*/false, tiles.when, where},
         band.place);
}

void SegmentBuilder::append(Segment segment, TileBand::Place place) {
  TileInterval tiles = {segment.begin, segment.end, segment.when};
  if (tiles.isProvablyEmpty(facts))
    return;
  const auto &[begin, end, when] = tiles.simplify(facts);
  for (Placed &placed : segments) {
    Segment &other = placed.second;
    if (other.full != segment.full || other.when != when ||
        other.where != segment.where)
      continue;
    // Joining is exact only when neither side can be turned around.
    bool follows = other.end == begin;
    if ((follows || end == other.begin) &&
        TileExpr::provablyLE(other.begin, other.end, facts) &&
        TileExpr::provablyLE(begin, end, facts)) {
      (follows ? other.end : other.begin) = follows ? end : begin;
      return;
    }
  }
  segment.begin = begin;
  segment.end = end;
  segment.when = when;
  segments.push_back({place, std::move(segment)});
}

bool SegmentBuilder::hasTooManyConditions() const {
  std::vector<std::optional<mask::Pieces>> conditions;
  for (const Placed &placed : segments)
    if (const Segment &segment = placed.second;
        !segment.full && !llvm::is_contained(conditions, segment.where))
      conditions.push_back(segment.where);
  return conditions.size() > maxConditions;
}

void SegmentBuilder::finish(RowClass &cls) const {
  for (auto place : {TileBand::Place::Left, TileBand::Place::Moving,
                     TileBand::Place::Right}) {
    for (const Placed &placed : segments)
      if (placed.first == place)
        cls.segments.push_back(placed.second);
  }
}

bool SegmentBuilder::isTooLarge() const {
  if (segments.size() > maxSegments)
    return true;
  unsigned nodes = 0;
  for (const Placed &placed : segments)
    nodes += countNodes(placed.second.begin) + countNodes(placed.second.end) +
             countNodes(placed.second.when);
  return nodes > maxNodes;
}

//===----------------------------------------------------------------------===//
// Order and fallback
//===----------------------------------------------------------------------===//

/// Drops bands whose live tiles are all full tiles of another band, or which
/// have no full tiles and lie in another band.
static void dropCovered(std::vector<TileBand> &bands,
                        const LengthFacts &facts) {
  auto covers = [&](const TileBand &outer, const TileBand &inner) {
    auto lies = [&](const TileInterval &interval) {
      return TileExpr::provablyLE(interval.begin, inner.live.begin, facts) &&
             TileExpr::provablyLE(inner.live.end, interval.end, facts) &&
             (interval.isUnconditional() ||
              TileExpr::provablyLE(inner.live.when, interval.when, facts));
    };
    // A draw does not visit all of its interval.
    return !outer.draw && ((outer.full && lies(*outer.full)) ||
                           (!inner.full && lies(outer.live)));
  };
  for (unsigned k = 0; k < bands.size();) {
    bool isCovered = false;
    for (unsigned other = 0; other < bands.size() && !isCovered; ++other)
      isCovered = other != k && covers(bands[other], bands[k]);
    if (isCovered)
      bands.erase(bands.begin() + k);
    else
      ++k;
  }
}

/// Widens `hull` so that it holds `tiles` where either is not empty.
static void addToHull(std::optional<TileInterval> &hull,
                      const TileInterval &tiles) {
  if (!hull) {
    hull = tiles;
    return;
  }
  hull->begin = TileExpr::min(hull->begin, tiles.begin);
  hull->end = TileExpr::max(hull->end, tiles.end);
  hull->when = TileExpr::max(hull->when, tiles.when);
}

/// One partial band from the first to the last tile of all that `selects`
/// names, in place of them; where only the unconditional ones are live, from
/// the first to the last tile of those.
static void replaceByHull(std::vector<TileBand> &bands,
                          llvm::function_ref<bool(const TileBand &)> selects) {
  std::optional<TileInterval> always, sometimes;
  for (const TileBand &band : llvm::make_filter_range(bands, selects))
    addToHull(band.live.isUnconditional() ? always : sometimes, band.live);
  if (always && sometimes) {
    TileExpr when = sometimes->when;
    addToHull(sometimes, *always);
    sometimes->when = when;
  }
  llvm::erase_if(bands, selects);
  for (const std::optional<TileInterval> &hull : {always, sometimes}) {
    if (!hull)
      continue;
    bands.emplace_back();
    bands.back().live = *hull;
  }
}

/// Bands that stay in place claim first, since their bounds are the short
/// ones; bands that are live in some rows only claim last, since they are
/// often covered by then. A wide band without full tiles must not take those
/// of another one.
static std::vector<TileBand> orderClaims(llvm::ArrayRef<TileBand> bands,
                                         const LengthFacts &facts) {
  auto rankOf = [&](const TileBand &band) {
    bool isWide =
        !TileExpr::provablyLE(band.live.end, band.live.begin + 2, facts);
    int rank = band.place == TileBand::Place::Left    ? 0
               : band.place == TileBand::Place::Right ? 1
                                                      : 2;
    if (!band.full && isWide)
      rank = 3;
    return std::tuple(!band.live.isUnconditional(), rank, band.order);
  };
  std::vector<TileBand> ordered;
  for (const TileBand &band : bands) {
    auto at = llvm::upper_bound(ordered, band,
                                [&](const TileBand &a, const TileBand &b) {
                                  return rankOf(a) < rankOf(b);
                                });
    ordered.insert(at, band);
  }
  return ordered;
}

static SegmentBuilder buildSegments(llvm::ArrayRef<TileBand> bands,
                                    const LengthFacts &facts,
                                    const LivePairs *pairs = nullptr) {
  SegmentBuilder builder(facts, pairs);
  for (const TileBand &band : bands) {
    builder.add(band);
    if (builder.isTooLarge())
      break;
  }
  if (pairs && (builder.isTooLarge() || builder.hasTooManyConditions()))
    return buildSegments(bands, facts);
  return builder;
}

std::optional<PlanLoss::Visited> plan::makeSegments(std::vector<TileBand> bands,
                                                    const TileRows &rows,
                                                    const TileShape &tile,
                                                    RowClass &cls) {
  std::optional<PlanLoss::Visited> visited;
  const LengthFacts &facts = rows.facts;
  LivePairs pairs(bands, rows, tile);
  dropCovered(bands, facts);
  auto isDraw = [](const TileBand &band) { return !!band.draw; };
  std::vector<TileBand> draws;
  llvm::copy_if(bands, std::back_inserter(draws), isDraw);
  llvm::erase_if(bands, isDraw);
  bands = orderClaims(bands, facts);
  SegmentBuilder builder = buildSegments(bands, facts, &pairs);
  if (builder.isTooLarge()) {
    visited = PlanLoss::Visited::Hull;
    replaceByHull(bands, [](const TileBand &band) {
      return band.place == TileBand::Place::Moving;
    });
    builder = buildSegments(bands, facts);
  }
  if (builder.isTooLarge()) {
    replaceByHull(bands, [](const TileBand &) { return true; });
    builder = buildSegments(bands, facts);
  }
  if (builder.isTooLarge()) {
    visited = PlanLoss::Visited::All;
    TileBand dense;
    dense.live = TileInterval{TileExpr::constant(0),
                              TileExpr::numKeys().ceilDiv(tile.keys)}
                     .simplify(facts);
    builder = buildSegments(dense, facts);
  }
  builder.finish(cls);
  for (const TileBand &band : draws)
    if (!builder.unclaimed(band.live).empty())
      cls.draws.push_back({*band.draw, band.live.begin, band.live.end,
                           band.drawIsFull, band.live.when});
  return visited;
}
