//===- Segments.cpp - The segments of one class of rows -------------------===//
//
// The order in which bands claim their tiles decides how many segments there
// are and how long their bounds get. Where even the best order takes too many,
// bands give way to hulls, which visit more than has live pairs.
//
//===----------------------------------------------------------------------===//

#include "SegmentBuilder.h"
#include "llvm/ADT/STLExtras.h"
#include <tuple>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

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
    // A draw does not visit all of its interval, nor does what data decides.
    return !outer.draw && outer.within.covers(inner.within) &&
           ((outer.full && lies(*outer.full)) ||
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
  std::optional<Within> within;
  for (const TileBand &band : llvm::make_filter_range(bands, selects)) {
    addToHull(band.live.isUnconditional() ? always : sometimes, band.live);
    within = within ? within->join(band.within) : band.within;
  }
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
    bands.back().within = *within;
  }
}

/// Bands that stay in place claim first, since their bounds are the short
/// ones; bands that are live in some rows only claim last, since they are
/// often covered by then. A wide band without full tiles must not take those
/// of another one. Where data decides on what is visited, whatever covers
/// another claims first.
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
    return std::tuple(band.within.rank(), !band.live.isUnconditional(), rank,
                      band.order);
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
                                                    const KeyAxis &axis,
                                                    RowClass &cls) {
  std::optional<PlanLoss::Visited> visited;
  const LengthFacts &facts = rows.facts;
  LivePairs pairs(bands, rows, axis);
  llvm::SmallVector<Within *> filters;
  for (TileBand &band : bands)
    filters.push_back(&band.within);
  align(filters);
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
    dense.live =
        TileInterval{
            TileExpr::constant(0),
            axis.highestSlot(TileExpr::numKeys()).ceilDiv(axis.tileSize())}
            .simplify(facts);
    builder = buildSegments(dense, facts);
  }
  builder.finish(cls);
  for (const TileBand &band : draws)
    if (!builder.visits(band))
      cls.draws.push_back({*band.draw, band.live.begin, band.live.end,
                           band.drawIsFull, band.live.when});
  return visited;
}
