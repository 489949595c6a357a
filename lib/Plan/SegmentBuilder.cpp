//===- SegmentBuilder.cpp - Claims, and the segments of what they take ----===//

#include "SegmentBuilder.h"
#include "llvm/ADT/STLExtras.h"

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

llvm::SmallVector<TileInterval> SegmentBuilder::unclaimed(
    const TileInterval &interval,
    llvm::function_ref<bool(const Claim &)> selects) const {
  llvm::SmallVector<TileInterval> parts = {interval}, rest;
  for (const Claim &claim : claims) {
    if (!selects(claim))
      continue;
    rest.clear();
    for (const TileInterval &part : parts)
      subtract(part, claim.tiles, rest);
    parts = rest;
    if (parts.size() > maxSegments)
      break;
  }
  return parts;
}

bool SegmentBuilder::visits(const TileBand &band) const {
  return unclaimed(band.live,
                   [&](const Claim &claim) {
                     return claim.within.covers(band.within);
                   })
      .empty();
}

void SegmentBuilder::add(const TileBand &band) {
  for (const TileInterval &part :
       unclaimed(band.live, [](const Claim &) { return true; }))
    split(part, band);
  TileInterval claim = band.live;
  claim.end = TileExpr::max(claim.begin, claim.end).simplify(facts);
  claims.push_back({claim, band.within});
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
  append({tiles.begin,
          tiles.end,
          /*full=*/true,
          tiles.when,
          std::nullopt,
          {},
          band.within},
         band.place);
}

void SegmentBuilder::appendPartial(const TileInterval &tiles,
                                   const TileBand &band, Edges edges) {
  std::optional<mask::Pieces> where;
  if (pairs && band.number != TileBand::noNumber)
    where = pairs->find(tiles.simplify(facts), band, edges, claimed);
  append({tiles.begin,
          tiles.end,
          /*full=*/false,
          tiles.when,
          where,
          {},
          band.within},
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
        other.where != segment.where || !(other.within == segment.within))
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
