//===- PresburgerLayouts.cpp - Tiles that stand across others -------------===//
//
// The tile of a key is a term of it: of a lattice, with r = (j - shift)
// floordiv step and o = j - shift - r * step, slot r * width + o where r >= 0
// and o < width; of a list, the tile of the run that has the key. So a question
// about pairs has no unknown but the row, its query tile, the key and lengths.
//
//===----------------------------------------------------------------------===//

#include "PresburgerProof.h"
#include "RowSlots.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

//===----------------------------------------------------------------------===//
// Tiles of keys
//===----------------------------------------------------------------------===//

namespace {
/// Keys of one tile of a list.
struct ListedKeys {
  Range keys;
  int64_t tile;
};
} // namespace

/// The runs of a list, cut where tiles are; behind them, where the last tile
/// has slots without a key, the position that no key is at.
static llvm::SmallVector<ListedKeys> listedKeys(const Layout &layout) {
  llvm::SmallVector<ListedKeys> result;
  int64_t slots = *layout.numSlots();
  for (int64_t slot = 0; slot < slots;) {
    int64_t tile = slot / layout.tile;
    int64_t next = std::min({(slot / layout.width + 1) * layout.width,
                             (tile + 1) * layout.tile, slots});
    int64_t first = layout.position(slot);
    if (!result.empty() && result.back().tile == tile &&
        result.back().keys.end == first)
      result.back().keys.end += next - slot;
    else
      result.push_back({{first, first + next - slot}, tile});
    slot = next;
  }
  if (slots % layout.tile != 0)
    result.push_back(
        {{maxSequenceLength, maxSequenceLength + 1}, slots / layout.tile});
  return result;
}

/// Whatever a key may be, and the position that none is at.
static Range allKeys() { return {0, 2 * maxSequenceLength}; }

/// The tile is one that the segment visits.
static Formula isVisited(Unknowns &x, const Segment &segment,
                         const Linear &tile) {
  return Formula::all({x.above(segment.when, Linear::number(0)),
                       x.inside(segment.begin, tile, segment.end)});
}

static Formula isNotVisited(Unknowns &x, const Segment &segment,
                            const Linear &tile) {
  return Formula::any({x.atMost(segment.when, Linear::number(0)),
                       x.outside(segment.begin, tile, segment.end)});
}

static Formula isIn(Unknowns &x, Range keys) {
  return Formula::all({Formula::lessEqual(Linear::number(keys.begin), x.key),
                       Formula::less(x.key, Linear::number(keys.end))});
}

/// The key is one of a list's and its tile is visited, or, with `negated`, not.
/// As the runs ascend, the second is that the key is in a gap between two of
/// them, or in a run whose tile is not visited: alternatives without a nest.
/// Keys that are none of `among` are not asked about.
static Formula hasListedKey(Unknowns &x, const Segment &segment, bool negated,
                            const IntervalSet &among) {
  auto isAsked = [&](Range keys) { return !among.intersect(keys).empty(); };
  std::vector<Formula> parts;
  int64_t gap = 0;
  for (const ListedKeys &listed : listedKeys(segment.layout)) {
    Linear tile = Linear::number(listed.tile);
    Formula tileIs =
        negated ? isNotVisited(x, segment, tile) : isVisited(x, segment, tile);
    if (isAsked(listed.keys))
      parts.push_back(Formula::all({tileIs, isIn(x, listed.keys)}));
    if (Range before = {gap, listed.keys.begin};
        negated && !before.empty() && isAsked(before))
      parts.push_back(isIn(x, before));
    gap = listed.keys.end;
  }
  if (negated && isAsked({gap, allKeys().end}))
    parts.push_back(Formula::lessEqual(Linear::number(gap), x.key));
  return Formula::any(std::move(parts));
}

static Formula hasLatticeKey(Unknowns &x, const Segment &segment,
                             bool negated) {
  const Layout &layout = segment.layout;
  auto tileOf = [&](const Linear &slot) {
    return x.problem.floorDiv(slot, layout.tile);
  };
  if (negated)
    return isNotInLattice(x, x.key, layout, [&](const Linear &slot) {
      return isNotVisited(x, segment, tileOf(slot));
    });
  return isInLattice(x, x.key, layout, [&](const Linear &slot) {
    return isVisited(x, segment, tileOf(slot));
  });
}

/// The key is in a visited tile of the segment; with `negated`, it is in none.
static Formula hasKey(Unknowns &x, const Segment &segment, int64_t planKeys,
                      bool negated, const IntervalSet &among) {
  if (segment.layout.isList())
    return hasListedKey(x, segment, negated, among);
  if (!segment.layout.isContiguous())
    return hasLatticeKey(x, segment, negated);
  Linear tile = x.problem.floorDiv(x.key, planKeys);
  return negated ? isNotVisited(x, segment, tile) : isVisited(x, segment, tile);
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

/// One of `pieces` has the pair, or may have it where it has leaves.
static Formula anyPiece(Unknowns &x, const Pieces &pieces) {
  std::vector<Formula> parts;
  for (const Piece &piece : pieces)
    parts.push_back(x.literals(piece, /*negated=*/false));
  return Formula::any(std::move(parts));
}

/// None of `pieces` without leaves has the pair.
static Formula noPiece(Unknowns &x, const Pieces &pieces) {
  std::vector<Formula> parts;
  for (const Piece &piece : pieces)
    if (piece.opaque.empty())
      parts.push_back(x.literals(piece, /*negated=*/true));
  return Formula::all(std::move(parts));
}

Formula PresburgerProof::isLiveByPieces(Unknowns &x) const {
  return Formula::all({Formula::less(x.key, x.nk), anyPiece(x, pieces)});
}

Formula PresburgerProof::isMaskedByPieces(Unknowns &x,
                                          const IntervalSet &among) const {
  return Formula::any(
      {Formula::lessEqual(x.nk, x.key),
       noPiece(x, restrictSets(pieces, /*ofKey=*/true, among))});
}

/// The keys of a list, and the position that none is at.
static IntervalSet keysOf(const Layout &layout) {
  llvm::SmallVector<Range> keys;
  for (const ListedKeys &listed : listedKeys(layout))
    keys.push_back(listed.keys);
  return IntervalSet::fromRanges(std::move(keys));
}

Formula PresburgerProof::computes(Unknowns &x, const Segment &segment) const {
  Formula isInTile =
      hasKey(x, segment, plan.tile.keys, /*negated=*/false, allKeys());
  if (segment.full)
    return isInTile;
  return Formula::all({isInTile, segment.where ? anyPiece(x, *segment.where)
                                               : isLiveByPieces(x)});
}

/// The segment does not compute the pair, which is live.
Formula PresburgerProof::leavesOut(Unknowns &x, const Segment &segment,
                                   const IntervalSet &among) const {
  Formula isOutside =
      hasKey(x, segment, plan.tile.keys, /*negated=*/true, among);
  if (segment.full || !segment.where)
    return isOutside;
  return Formula::any({isOutside, noPiece(x, *segment.where)});
}

bool PresburgerProof::computes(const Segment &segment, const Candidate &at,
                               int64_t head) const {
  const Layout &layout = segment.layout;
  int64_t size = layout.tileSize(plan.tile.keys);
  if (at.key < 0)
    return false;
  std::optional<int64_t> tile;
  if (layout.isList()) {
    for (const ListedKeys &listed : listedKeys(layout))
      if (listed.keys.contains(at.key))
        tile = listed.tile;
  } else if (int64_t slot = layout.slotsBelow(at.key);
             layout.position(slot) == at.key) {
    tile = slot / size;
  }
  if (!tile || !segment.keyTiles(at.q, at.n).contains(*tile))
    return false;
  if (segment.where)
    return holds(*segment.where, at.n, at.row + at.n.firstQuery(), at.key);
  return segment.full || isLive(mask, at, head);
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

Unknowns PresburgerProof::pairOfClass(unsigned classIndex,
                                      bool keyExists) const {
  Unknowns x(facts);
  requireRowOfTile(x, plan.classes[classIndex]);
  requireOwned(x, classIndex);
  x.domain.push_back(Formula::nonNegative(x.key));
  if (keyExists)
    x.domain.push_back(Formula::less(x.key, x.nk));
  return x;
}

void PresburgerProof::checkPairsLive(unsigned classIndex,
                                     const Segment &segment) {
  if (!segment.full && !segment.where)
    return;
  // A list's keys apart from the position that its last slots may stand at.
  llvm::SmallVector<IntervalSet> groups = {allKeys()};
  if (segment.layout.isList()) {
    IntervalSet keys = keysOf(segment.layout);
    groups = {keys.intersect(Range{0, maxSequenceLength}),
              keys.intersect(Range{maxSequenceLength, allKeys().end})};
  }
  for (const IntervalSet &among : groups) {
    if (among.empty())
      continue;
    Unknowns x = pairOfClass(classIndex, /*keyExists=*/segment.full);
    Range hull = {among.ranges().front().begin, among.ranges().back().end};
    if (segment.layout.isList())
      x.domain.push_back(isIn(x, hull));
    x.domain.push_back(computes(x, segment));
    x.domain.push_back(isMaskedByPieces(x, among));
    ask(x, segment.full ? reasons::fullMasked : reasons::where,
        [&](const Candidate &at, int64_t head) {
          return computes(segment, at, head) && !isLive(mask, at, head);
        });
  }
}

void PresburgerProof::checkPairOnce(unsigned classIndex, const Segment &a,
                                    const Segment &b) {
  Unknowns x = pairOfClass(classIndex, /*keyExists=*/true);
  x.domain.push_back(computes(x, a));
  x.domain.push_back(computes(x, b));
  ask(x, reasons::pairOnce, [&](const Candidate &at, int64_t head) {
    return computes(a, at, head) && computes(b, at, head);
  });
}

void PresburgerProof::checkPairsCovered(unsigned classIndex) {
  const RowClass &cls = plan.classes[classIndex];
  for (const Piece &piece : pieces) {
    Unknowns x = pairOfClass(classIndex, /*keyExists=*/true);
    x.domain.push_back(x.literals(piece, /*negated=*/false));
    IntervalSet among = allKeys();
    for (const PositionSet &set : piece.sets)
      if (set.ofKey && !set.fromEnd)
        among = among.intersect(*set.positions);
    for (const Segment &segment : cls.segments)
      x.domain.push_back(leavesOut(x, segment, among));
    ask(x, reasons::coverage, [&](const Candidate &at, int64_t head) {
      return isLive(mask, at, head) &&
             llvm::none_of(cls.segments, [&](const Segment &segment) {
               return computes(segment, at, head);
             });
    });
  }
}

/// Visited tiles have a slot, and full ones no slot without a key. The key is
/// not asked about: it is where the first, or any, slot of the tile stands.
void PresburgerProof::checkLayoutRange(const RowClass &cls,
                                       const Segment &segment) {
  const Layout &layout = segment.layout;
  auto isTile = [&](const Candidate &at, int64_t) {
    return segment.keyTiles(at.q, at.n).contains(at.keyTile);
  };
  auto askFor = [&](const char *reason, auto violation) {
    Unknowns x(facts);
    requireTile(x, cls);
    x.domain.push_back(isVisited(x, segment, x.keyTile));
    x.domain.push_back(violation(x));
    ask(x, reason, isTile);
  };
  // Slot m of the tile stands at no key below `end`.
  auto isPast = [&](Unknowns &x, int64_t m) {
    Linear slot = x.keyTile * layout.tile + m;
    if (layout.isList())
      return Formula::lessEqual(Linear::number(*layout.numSlots()), slot);
    Linear run = x.problem.floorDiv(slot, layout.width);
    Linear position = slot + run * (layout.step - layout.width) + layout.shift;
    return Formula::lessEqual(x.nk, position);
  };
  askFor(reasons::range, [&](Unknowns &x) {
    return Formula::any(
        {Formula::less(x.keyTile, Linear::number(0)), isPast(x, 0)});
  });
  if (!segment.full)
    return;
  askFor(reasons::fullPastEnd,
         [&](Unknowns &x) { return isPast(x, layout.tile - 1); });
  if (!layout.isList())
    return;
  for (const ListedKeys &listed : listedKeys(layout))
    askFor(reasons::fullPastEnd, [&](Unknowns &x) {
      Linear tile = Linear::number(listed.tile);
      return Formula::all(
          {Formula::lessEqual(tile, x.keyTile),
           Formula::lessEqual(x.keyTile, tile),
           Formula::less(x.nk, Linear::number(listed.keys.end))});
    });
}

void PresburgerProof::checkLayouts(unsigned classIndex) {
  const RowClass &cls = plan.classes[classIndex];
  if (!cls.draws.empty()) {
    obstacle = "draws stand beside layouts, whose pairs cannot be told apart "
               "at all lengths";
    return;
  }
  auto isContiguous = [](const Segment &segment) {
    return segment.layout.isContiguous();
  };
  for (const Segment &segment : cls.segments) {
    isContiguous(segment) ? checkRange(cls, segment)
                          : checkLayoutRange(cls, segment);
    checkPairsLive(classIndex, segment);
  }
  checkOnce(cls);
  for (unsigned a = 0; a < cls.segments.size(); ++a)
    for (unsigned b = a + 1; b < cls.segments.size(); ++b)
      if (!isContiguous(cls.segments[a]) || !isContiguous(cls.segments[b]))
        checkPairOnce(classIndex, cls.segments[a], cls.segments[b]);
  checkPairsCovered(classIndex);
}
