//===- RowLayouts.cpp - Rows that stand where a layout says ---------------===//
//
// A piece whose rows are a set of tokens is planned for these in a list, one
// whose rows are a residue class for those in a lattice. With slot x = begin +
// q * B, a query tile's first row stands at
//
//   shift + x + x floordiv width * (step - width)
//
// of a lattice. The bounds of a list's tiles are those of the whole list.
//
//===----------------------------------------------------------------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

/// Positions that a plan may list.
static constexpr int64_t maxListed = 4096;

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

const PositionSet *plan::findListable(const Piece &piece, bool ofKey) {
  const PositionSet *found = nullptr;
  for (const PositionSet &set : piece.sets) {
    if (set.ofKey != ofKey)
      continue;
    if (found || set.fromEnd || set.positions->size() > maxListed ||
        set.positions->ranges().front().begin < 0)
      return nullptr;
    found = &set;
  }
  return found;
}

/// As few slots as hold the positions, and then as long tiles: of half of the
/// largest or more where one does not hold all, as each reads the keys again.
/// Longer ones than that half are multiples of 32 rows, as many as warps of
/// kernels take there: with more warps of fewer rows, blocks of the ordinary
/// rows that are launched with them would have threads that do nothing.
static int64_t chooseTile(int64_t slots, int64_t most) {
  int64_t granule = std::min<int64_t>(16, most), best = most;
  for (int64_t size = most; size >= granule; size -= granule) {
    bool isShared = 2 * size <= most || size % 32 == 0;
    bool isLong = 2 * size >= most || slots <= size;
    if (isShared && isLong &&
        llvm::alignTo(slots, size) < llvm::alignTo(slots, best))
      best = size;
  }
  return best;
}

Layout plan::makeList(const IntervalSet &positions, int64_t size) {
  int64_t width = 0;
  for (Range range : positions.ranges())
    width = std::gcd(width, range.size());
  std::vector<int64_t> starts;
  for (Range range : positions.ranges())
    for (int64_t start = range.begin; start < range.end; start += width)
      starts.push_back(start);
  return Layout::list(std::move(starts), width,
                      chooseTile(positions.size(), size));
}

/// The tokens that are rows, as far as lengths are known.
static IntervalSet existingRows(const IntervalSet &tokens,
                                const LengthFacts &facts) {
  Range rows = {0, facts.nk.value_or(maxSequenceLength)};
  if (facts.nk && facts.nq)
    rows.begin = std::max<int64_t>(0, *facts.nk - *facts.nq);
  return tokens.intersect(rows);
}

/// Whether a list takes fewer query tiles than the ranges by themselves.
static bool savesTiles(const IntervalSet &tokens, int64_t size) {
  int64_t apart = 0;
  for (Range range : tokens.ranges())
    apart += llvm::divideCeil(range.size(), size);
  int64_t together = llvm::divideCeil(tokens.size(), size);
  return together < apart;
}

//===----------------------------------------------------------------------===//
// Lattices
//===----------------------------------------------------------------------===//

/// The residue of queries that leaves the fewest of them, or null.
static const Residue *findQueryResidue(const Piece &piece) {
  const Residue *best = nullptr;
  auto isSparser = [](const Residue &a, const Residue &b) {
    return (a.end - a.begin) * b.modulus < (b.end - b.begin) * a.modulus;
  };
  for (const Residue &residue : piece.residues)
    if (residue.subject == Residue::Subject::Query &&
        (!best || isSparser(residue, *best)))
      best = &residue;
  return best;
}

/// Whether no row before position 0, where Sq > Sk, has a key. No layout has
/// such rows.
static bool isDeadBefore0(const Piece &piece, const LengthFacts &facts) {
  if (facts.areEqual() || (facts.nq && facts.nk && *facts.nq <= *facts.nk))
    return true;
  return llvm::any_of(piece.upper, [](const Bound &bound) {
    return bound.block == 1 && bound.perKey == 0 && bound.offset <= 1;
  });
}

std::optional<Layout> plan::findRowLayout(const Piece &piece,
                                          const TileShape &tile,
                                          const LengthFacts &facts,
                                          RowOptions options) {
  const PositionSet *set = findListable(piece, /*ofKey=*/false);
  if (options.lists && set && piece.opaque.empty()) {
    IntervalSet rows = existingRows(*set->positions, facts);
    if (!rows.empty() && savesTiles(rows, tile.queries))
      return makeList(rows, tile.queries);
    return std::nullopt;
  }
  const Residue *residue = findQueryResidue(piece);
  if (!options.lattices || !residue || !piece.opaque.empty() ||
      !isDeadBefore0(piece, facts))
    return std::nullopt;
  Layout layout =
      Layout::lattice(residue->modulus, residue->end - residue->begin,
                      residue->begin, tile.queries);
  if (!layout.findProblem().empty() || 2 * layout.width > layout.step)
    return std::nullopt;
  return layout;
}

/// Tiles that do not straddle runs, if there are such of nearly that size.
static int64_t chooseTileOfRuns(int64_t width, int64_t most) {
  constexpr int64_t granule = 16;
  for (int64_t size = most - most % granule; 2 * size >= most && size > 0;
       size -= granule)
    if (width % size == 0)
      return size;
  return most;
}

std::optional<Layout> plan::findRestOfPeriod(const Layout &layout,
                                             const Pieces &pieces,
                                             const TileShape &tile,
                                             const LengthFacts &facts) {
  bool isLast = layout.kind == Layout::Kind::Lattice && layout.shift > 0 &&
                layout.shift + layout.width == layout.step;
  if (!isLast || !llvm::all_of(pieces, [&](const Piece &piece) {
        return isDeadBefore0(piece, facts);
      }))
    return std::nullopt;
  return Layout::lattice(layout.step, layout.shift, /*shift=*/0,
                         chooseTileOfRuns(layout.shift, tile.queries));
}

//===----------------------------------------------------------------------===//
// Pieces of a class
//===----------------------------------------------------------------------===//

static IntervalSet listedPositions(const Layout &layout) {
  llvm::SmallVector<Range> ranges;
  for (int64_t start : layout.starts)
    ranges.push_back({start, start + layout.width});
  return IntervalSet::fromRanges(std::move(ranges));
}

/// Drops the set or the residue that all rows of the class satisfy. False where
/// none does, so that the piece has no pair there.
static bool restrict(Piece &piece, const Layout &layout,
                     const IntervalSet &listed) {
  bool isDead = false;
  auto isOfLattice = [&](const Residue &residue) {
    return residue.subject == Residue::Subject::Query &&
           residue.modulus == layout.step && !layout.isList();
  };
  llvm::erase_if(piece.residues, [&](const Residue &residue) {
    int64_t begin = layout.shift, end = layout.shift + layout.width;
    if (!isOfLattice(residue))
      return false;
    isDead |= residue.end <= begin || end <= residue.begin;
    return residue.begin <= begin && end <= residue.end;
  });
  if (!layout.isList())
    return !isDead;
  llvm::erase_if(piece.sets, [&](const PositionSet &set) {
    if (set.ofKey || set.fromEnd)
      return false;
    IntervalSet common = set.positions->intersect(listed);
    isDead |= common.empty();
    return common == listed;
  });
  Range hull = {listed.ranges().front().begin, listed.ranges().back().end};
  auto isConstant = [](const Bound &bound) {
    return !bound.dependsOnQuery() && bound.perKey == 0;
  };
  llvm::erase_if(piece.rowLower, [&](const Bound &bound) {
    isDead |= isConstant(bound) && hull.end <= bound.offset;
    return isConstant(bound) && bound.offset <= hull.begin;
  });
  llvm::erase_if(piece.rowUpper, [&](const Bound &bound) {
    isDead |= isConstant(bound) && bound.offset <= hull.begin;
    return isConstant(bound) && hull.end <= bound.offset;
  });
  return !isDead;
}

Pieces plan::restrictToRows(const Pieces &pieces, const Layout &layout) {
  IntervalSet listed =
      layout.isList() ? listedPositions(layout) : IntervalSet();
  Pieces result;
  for (Piece piece : pieces)
    if (restrict(piece, layout, listed))
      result.push_back(std::move(piece));
  return normalizePieces(std::move(result));
}

//===----------------------------------------------------------------------===//
// Rows of a query tile
//===----------------------------------------------------------------------===//

static TileRows rowsOfList(const Layout &layout, const LengthFacts &facts) {
  TileRows rows;
  rows.facts = facts;
  int64_t slots = *layout.numSlots();
  rows.facts.lastTile = (slots - 1) / layout.tile;
  rows.rowBegin = TileExpr::constant(0);
  rows.rowEnd = TileExpr::constant(slots);
  rows.first = TileExpr::constant(layout.starts.front());
  rows.roundedEnd = TileExpr::constant(layout.starts.back() + layout.width);
  rows.end =
      TileExpr::min(rows.roundedEnd, TileExpr::numKeys()).simplify(rows.facts);
  rows.roundedEnd = rows.end;
  return rows;
}

TileRows plan::makeScatteredRows(const ClassPieces &cls,
                                 const LengthFacts &facts) {
  const Layout &layout = cls.layout;
  if (layout.isList())
    return rowsOfList(layout, facts);
  auto positionOf = [&](const TileExpr &slot) {
    return slot + slot.floorDiv(layout.width) * (layout.step - layout.width) +
           layout.shift;
  };
  TileRows rows;
  rows.facts = facts;
  // The run that may have the first row.
  TileExpr offset = TileExpr::numKeys() - TileExpr::numQueries();
  TileExpr run = (offset - layout.shift).floorDiv(layout.step);
  rows.rowBegin =
      TileExpr::max(TileExpr::constant(0), run * layout.width).simplify(facts);
  rows.rowEnd = KeyAxis(layout, {layout.tile, layout.tile})
                    .slotsBelow(TileExpr::numKeys())
                    ->simplify(facts);
  rows.rowEnd =
      TileExpr::max(TileExpr::constant(0), rows.rowEnd).simplify(facts);
  // Where rows begin at position 0, a tile's first slot stands below nk = nq.
  bool isWhole = layout.tile % layout.width == 0;
  if (rows.rowBegin == TileExpr::constant(0) && isWhole &&
      (facts.areEqual() || (facts.nq && facts.nk && *facts.nq == *facts.nk)))
    rows.facts.rowsPerTile = layout.tile / layout.width * layout.step;
  TileExpr slot = rows.rowBegin + TileExpr::queryTile() * layout.tile;
  rows.first = positionOf(slot).simplify(rows.facts);
  rows.roundedEnd = (positionOf(slot + (layout.tile - 1)) + 1);
  rows.roundedEnd = rows.roundedEnd.simplify(rows.facts);
  rows.end =
      TileExpr::min(rows.roundedEnd, TileExpr::numKeys()).simplify(rows.facts);
  return rows;
}
