//===- TileBands.cpp - Key tiles of a piece -------------------------------===//
//
// The bounds of a piece are non-decreasing in the query position, so that for
// the rows [first, end) of a query tile
//   live keys lie in [max lower(first), min upper(end - 1)),
//   all rows share   [max lower(end - 1), min upper(first)).
//
//===----------------------------------------------------------------------===//

#include "LinearForm.h"
#include "Planner.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

//===----------------------------------------------------------------------===//
// Intervals and conditions
//===----------------------------------------------------------------------===//

TileExpr plan::shifted(const TileExpr &offset, const TileExpr &expr,
                       bool negate) {
  bool isMin = expr.getKind() == TileExpr::Kind::Min;
  if (!isMin && expr.getKind() != TileExpr::Kind::Max)
    return negate ? offset - expr : offset + expr;
  TileExpr lhs = shifted(offset, expr.getLhs(), negate);
  TileExpr rhs = shifted(offset, expr.getRhs(), negate);
  return isMin != negate ? TileExpr::min(lhs, rhs) : TileExpr::max(lhs, rhs);
}

TileExpr plan::negated(const TileExpr &when) {
  return shifted(TileExpr::constant(1), when, /*negate=*/true);
}

/// A condition that holds where `when` does: 1 or 0 where that is certain, also
/// for the parts of a conjunction or disjunction.
static TileExpr simplifyCondition(const TileExpr &when,
                                  const LengthFacts &facts) {
  const TileExpr yes = TileExpr::constant(1), no = TileExpr::constant(0);
  if (TileExpr::provablyLE(yes, when, facts))
    return yes;
  if (TileExpr::provablyLE(when, no, facts))
    return no;
  bool isMin = when.getKind() == TileExpr::Kind::Min;
  if (!isMin && when.getKind() != TileExpr::Kind::Max)
    return when;
  const TileExpr &neutral = isMin ? yes : no;
  TileExpr lhs = simplifyCondition(when.getLhs(), facts);
  TileExpr rhs = simplifyCondition(when.getRhs(), facts);
  if (lhs == neutral || rhs == neutral)
    return lhs == neutral ? rhs : lhs;
  return isMin ? TileExpr::min(lhs, rhs) : TileExpr::max(lhs, rhs);
}

TileInterval TileInterval::simplify(const LengthFacts &facts) const {
  return {begin.simplify(facts), end.simplify(facts),
          simplifyCondition(when.simplify(facts), facts)};
}

void TileInterval::guardBy(const TileExpr &amount) {
  when = isUnconditional() ? amount : TileExpr::min(when, amount);
}

//===----------------------------------------------------------------------===//
// Bounds and rows
//===----------------------------------------------------------------------===//

TileExpr plan::at(const Bound &bound, const TileExpr &row) {
  TileExpr value = TileExpr::numKeys() * bound.perKey + bound.offset;
  if (!bound.dependsOnQuery())
    return value;
  return row.floorDiv(bound.block) * bound.block + value;
}

static TileExpr maxOf(TileExpr value, llvm::ArrayRef<Bound> bounds,
                      const TileExpr &row) {
  for (const Bound &bound : bounds)
    value = TileExpr::max(value, at(bound, row));
  return value;
}

static TileExpr minOf(TileExpr value, llvm::ArrayRef<Bound> bounds,
                      const TileExpr &row) {
  for (const Bound &bound : bounds)
    value = TileExpr::min(value, at(bound, row));
  return value;
}

TileRows plan::makeTileRows(const ClassPieces &cls, const TileShape &tile,
                            const LengthFacts &facts) {
  if (!cls.layout.isContiguous())
    return makeScatteredRows(cls, facts);
  // Row r stands at position r + nk - nq.
  TileExpr shift = TileExpr::numKeys() - TileExpr::numQueries();
  TileExpr step = TileExpr::queryTile() * tile.queries;
  TileExpr low = maxOf(shift, cls.rowLower, shift);
  TileExpr up = minOf(TileExpr::numKeys(), cls.rowUpper, shift);

  TileRows rows;
  rows.facts = facts;
  // A tile of any class holds a row below nq.
  rows.facts.rowsPerTile = tile.queries;
  if (cls.maxRows)
    rows.facts.lastTile =
        std::max<int64_t>(0, (*cls.maxRows - 1) / tile.queries);
  // low - shift and up - shift, with the shift inside max and min.
  rows.rowBegin = TileExpr::constant(0);
  for (const Bound &bound : cls.rowLower)
    rows.rowBegin = TileExpr::max(rows.rowBegin, at(bound, shift) - shift);
  rows.rowEnd = TileExpr::numQueries();
  for (const Bound &bound : cls.rowUpper)
    rows.rowEnd = TileExpr::min(rows.rowEnd, at(bound, shift) - shift);
  rows.rowBegin = rows.rowBegin.simplify(facts);
  rows.rowEnd = rows.rowEnd.simplify(facts);

  rows.first = shift + step;
  for (const Bound &bound : cls.rowLower)
    rows.first = TileExpr::max(rows.first, at(bound, shift) + step);
  rows.first = rows.first.simplify(rows.facts);
  rows.roundedEnd = rows.first + tile.queries;
  rows.end = TileExpr::min(rows.roundedEnd, up).simplify(rows.facts);
  // The tiles of a special class hold few rows beyond its range; there the
  // exact end costs nothing and keeps tiles full.
  if (cls.maxRows)
    rows.roundedEnd = rows.end;
  return rows;
}

/// The full tiles: none unless the piece is a band, of documents perhaps.
static std::optional<TileInterval>
makeFullTiles(const Piece &piece, const TileRows &rows, const KeyAxis &axis) {
  if (!piece.isBandOfDocuments())
    return std::nullopt;
  // Without a clip at 0, which `live` has, the beginning is the shorter and is
  // more often provably below the end.
  TileExpr last = rows.roundedEnd - 1;
  TileExpr low = TileExpr::constant(0);
  if (!piece.lower.empty())
    low = maxOf(at(piece.lower[0], last), piece.lower, last);
  TileExpr up = minOf(TileExpr::numKeys(), piece.upper, rows.first);
  std::optional<TileExpr> begin = axis.slotsBelow(low.simplify(rows.facts));
  std::optional<TileExpr> end = axis.slotsBelow(up.simplify(rows.facts));
  if (!begin || !end)
    return std::nullopt;
  TileInterval full = {begin->ceilDiv(axis.tileSize()),
                       end->floorDiv(axis.tileSize())};
  // All rows of the tile must be rows of the piece.
  for (const Bound &bound : piece.rowLower)
    full.guardBy(shifted(at(bound, rows.first) * -1 + 1, rows.first));
  for (const Bound &bound : piece.rowUpper)
    full.guardBy(shifted(at(bound, rows.first) + 1, rows.end, /*negate=*/true));
  full = full.simplify(rows.facts);
  if (full.isProvablyEmpty(rows.facts))
    return std::nullopt;
  return full;
}

/// Sets where the band stays as q grows.
static void placeBand(const Piece &piece, TileBand &band) {
  bool moves = false;
  for (const Bound &bound : piece.lower) {
    moves |= bound.dependsOnQuery();
    if (!bound.dependsOnQuery() && bound.perKey > 0) {
      band.place = TileBand::Place::Right;
      band.order = bound.offset;
      return;
    }
  }
  for (const Bound &bound : piece.upper) {
    moves |= bound.dependsOnQuery();
    if (!bound.dependsOnQuery() && bound.perKey == 0) {
      band.place = TileBand::Place::Left;
      band.order = bound.offset;
      return;
    }
  }
  if (!moves)
    band.place = TileBand::Place::Left;
}

/// A band [0, min(1, x)) of fixed keys, such as sinks seen causally: x is below
/// 1 only for query tiles before the first key, which exist only where
/// Sq > Sk. Those visit a tile in vain, and all plans are simpler.
static void widenFirstTile(const Piece &piece, TileBand &band) {
  bool isFixed = llvm::any_of(piece.upper, [](const Bound &bound) {
    return !bound.dependsOnQuery() && bound.perKey == 0;
  });
  if (!isFixed || !band.live.isUnconditional() ||
      band.live.begin.asConstant() != 0)
    return;
  llvm::SmallVector<TileExpr> operands;
  flatten(TileExpr::Kind::Min, band.live.end, operands);
  if (llvm::is_contained(operands, TileExpr::constant(1)) &&
      band.live.end.evaluate(0, {1, 1}) == 1)
    band.live.end = TileExpr::constant(1);
}

/// True when each tile drawn for the piece is full: nothing else masks, blocks
/// are whole tiles that Sk does not cut, which are all but the last block, and
/// no query tile straddles two row blocks.
static bool drawsFullTiles(const Piece &piece, const RandomBlocks &blocks,
                           const TileRows &rows, const TileShape &tile) {
  bool isAlone = !piece.hasRowBounds() && piece.lower.empty() &&
                 piece.upper.empty() && piece.residues.empty() &&
                 piece.sets.empty() && piece.opaque.size() == 1;
  TileExpr shift = TileExpr::numKeys() - TileExpr::numQueries();
  bool drawsWholeBlocks =
      blocks.bigBirdWindowRadius ||
      TileExpr::numKeys().isProvablyMultiple(tile.keys, rows.facts);
  return isAlone && drawsWholeBlocks && blocks.block % tile.queries == 0 &&
         blocks.block % tile.keys == 0 &&
         (rows.rowBegin + shift).isProvablyMultiple(tile.queries, rows.facts);
}

/// The draw in whose blocks all pairs of the piece are, if that is its only
/// leaf beside documents; else null.
static const RandomBlocks *findDraw(const Piece &piece) {
  const RandomBlocks *draw = nullptr;
  for (const OpaqueLiteral &literal : piece.opaque) {
    if (literal.isDocument())
      continue;
    if (draw || literal.negated)
      return nullptr;
    draw = literal.leaf->getRandomBlocks();
    if (!draw)
      return nullptr;
  }
  return draw;
}

/// Adds the bounds of the first and the last position of sets, which are too
/// many to be ranges of their own.
static Piece withHulls(Piece piece) {
  for (const PositionSet &set : piece.sets) {
    Range all = set.universe();
    Range hull = {set.positions->ranges().front().begin,
                  set.positions->ranges().back().end};
    auto add = [&](llvm::SmallVectorImpl<Bound> &bounds, int64_t offset) {
      bounds.push_back({0, set.fromEnd, offset});
    };
    if (hull.begin > all.begin)
      set.ofKey ? add(piece.lower, hull.begin)
                : add(piece.rowLower, hull.begin);
    if (hull.end < all.end)
      set.ofKey ? add(piece.upper, hull.end) : add(piece.rowUpper, hull.end);
  }
  return piece;
}

std::optional<TileBand> plan::makeTileBand(const Piece &withSets,
                                           const TileRows &rows,
                                           const TileShape &tile,
                                           const KeyAxis &axis) {
  const Piece piece = withHulls(withSets);
  const LengthFacts &facts = rows.facts;
  TileExpr anyRow = rows.first;
  TileExpr first = maxOf(rows.first, piece.rowLower, anyRow).simplify(facts);
  TileExpr end = minOf(rows.end, piece.rowUpper, anyRow).simplify(facts);

  TileBand band;
  band.piece = piece;
  TileExpr low = maxOf(TileExpr::constant(0), piece.lower, first);
  TileExpr up = minOf(TileExpr::numKeys(), piece.upper, end - 1);
  band.live = {axis.lowestSlot(low.simplify(facts)).floorDiv(axis.tileSize()),
               axis.highestSlot(up.simplify(facts)).ceilDiv(axis.tileSize())};

  // Some row of the tile must be a row of the piece. With one bound of each
  // kind at a time, amounts stay linear.
  if (first != rows.first || end != rows.end) {
    for (const Bound &lower : piece.rowLower) {
      band.live.guardBy(shifted(at(lower, anyRow) * -1, rows.end));
      for (const Bound &upper : piece.rowUpper)
        band.live.guardBy(at(upper, anyRow) - at(lower, anyRow));
    }
    for (const Bound &upper : piece.rowUpper)
      band.live.guardBy(
          shifted(at(upper, anyRow), rows.first, /*negate=*/true));
  }
  band.live = band.live.simplify(facts);
  if (axis.isContiguous())
    widenFirstTile(piece, band);
  if (band.live.isProvablyEmpty(facts))
    return std::nullopt;

  band.full = makeFullTiles(piece, rows, axis);
  band.within = Within::of(piece.getDataFacts());
  placeBand(piece, band);
  if (const RandomBlocks *blocks = findDraw(piece)) {
    band.draw = *blocks;
    band.drawIsFull = drawsFullTiles(piece, *blocks, rows, tile);
  }
  return band;
}
