//===- EmitReach.cpp - The rows that a key tile reaches, as code ----------===//
//
// A bound of a piece does not decrease from row to row. So of the keys j to
// j + n - 1, the rows that one of them lies
//
//   below,  j < block floor(i / block) + offset, begin with
//           i = block (floor((j - offset) / block) + 1),
//   above,  j + n - 1 >= block floor(i / block) + offset, end before
//           i = block (floor((j + n - 1 - offset) / block) + 1).
//
// Bounds that do not depend on the row, and those of rows, are conditions under
// which a piece has any pair in the tile. Of a union it is the smallest range
// that has the rows of all of its pieces. Other literals only take pairs away.
//
// Likewise all of these keys lie below from the row on where the last one does,
// and above before the first row where the first one does not.
//
//===----------------------------------------------------------------------===//

#include "MaskOwner.h"
#include "PredicateBuilder.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

/// More pieces cost more than a tile that is left out gains.
constexpr size_t kMaxPieces = 8;

namespace {
class ReachEmitter {
public:
  ReachEmitter(OpBuilder &b, Location loc, const MaskPosition &at,
               plan::TileShape tile)
      : p(b, loc, at), at(at),
        lastRow(p.make<arith::AddIOp>(at.i, p.integer(tile.queries - 1))),
        lastKey(p.make<arith::AddIOp>(at.j, p.integer(tile.keys - 1))) {}

  RowSpan emitLive(const Pieces &pieces) {
    RowSpan all;
    for (const Piece &piece : pieces) {
      RowSpan some = emitLive(piece);
      all.begin = all.begin ? p.make<arith::MinSIOp>(all.begin, some.begin)
                            : some.begin;
      all.end = all.end ? p.make<arith::MaxSIOp>(all.end, some.end) : some.end;
    }
    return all;
  }

  /// The rows that see all keys of the tile by `piece`.
  RowSpan emitFull(const Piece &piece);

private:
  using Compare = arith::CmpIPredicate;

  RowSpan emitLive(const Piece &piece);
  Value mayBeLive(const Piece &piece);
  Value firstBehind(const Bound &bound, Value key);
  /// `rows`, whose bounds may be null for none, where `holds`, which may be
  /// null as well; no rows elsewhere.
  RowSpan where(Value holds, RowSpan rows) {
    if (!rows.begin)
      rows.begin = lowest();
    if (!rows.end)
      rows.end = highest();
    if (!holds)
      return rows;
    return {p.select(holds, rows.begin, highest()),
            p.select(holds, rows.end, lowest())};
  }
  void raise(Value &begin, Value to) {
    begin = begin ? p.make<arith::MaxSIOp>(begin, to) : to;
  }
  void lower(Value &end, Value to) {
    end = end ? p.make<arith::MinSIOp>(end, to) : to;
  }
  Value lowest() { return p.integer(-maxSequenceLength); }
  Value highest() { return p.integer(maxSequenceLength); }

  PredicateBuilder p;
  const MaskPosition &at;
  Value lastRow, lastKey;
};
} // namespace

/// Whether a bound moves with the row, so that it leaves out rows of a tile.
static bool leavesOutRows(const Bound &bound) {
  return bound.dependsOnQuery() && PredicateBuilder::isSmall(bound);
}

/// The first row in which `bound` is larger than `key`.
Value ReachEmitter::firstBehind(const Bound &bound, Value key) {
  Value start = p.make<arith::SubIOp>(key, p.integer(bound.offset));
  return p.make<arith::AddIOp>(p.floorTo(start, bound.block),
                               p.integer(bound.block));
}

/// What must hold for any pair of the tile to be one of `piece`; null where
/// nothing must. No tile lies beyond the keys.
Value ReachEmitter::mayBeLive(const Piece &piece) {
  Value holds;
  auto require = [&](Compare order, Value x, const Bound &bound) {
    holds = p.conj(holds, p.compare(order, x, p.bound(bound)));
  };
  for (const Bound &bound : piece.rowLower)
    require(Compare::sge, lastRow, bound);
  for (const Bound &bound : piece.rowUpper)
    require(Compare::slt, at.i, bound);
  for (const Bound &bound : piece.lower)
    if (!bound.dependsOnQuery() && !(bound == Bound::constant(0)))
      require(Compare::sge, lastKey, bound);
  for (const Bound &bound : piece.upper)
    if (!bound.dependsOnQuery() && !(bound == Bound::fromEnd(0)))
      require(Compare::slt, at.j, bound);
  return holds;
}

RowSpan ReachEmitter::emitLive(const Piece &piece) {
  RowSpan rows;
  for (const Bound &bound : piece.upper)
    if (leavesOutRows(bound))
      raise(rows.begin, firstBehind(bound, at.j));
  for (const Bound &bound : piece.lower)
    if (leavesOutRows(bound))
      lower(rows.end, firstBehind(bound, lastKey));
  return where(mayBeLive(piece), rows);
}

RowSpan ReachEmitter::emitFull(const Piece &piece) {
  RowSpan rows;
  // A tile may pass the end of the keys, whatever the piece says of them.
  Value holds = p.compare(Compare::slt, lastKey, at.n);
  auto require = [&](Compare order, Value key, const Bound &bound) {
    holds = p.conj(holds, p.compare(order, key, p.bound(bound)));
  };
  for (const Bound &bound : piece.rowLower)
    raise(rows.begin, p.bound(bound));
  for (const Bound &bound : piece.rowUpper)
    lower(rows.end, p.bound(bound));
  for (const Bound &bound : piece.upper)
    if (bound.dependsOnQuery())
      raise(rows.begin, firstBehind(bound, lastKey));
    else if (!(bound == Bound::fromEnd(0)))
      require(Compare::slt, lastKey, bound);
  for (const Bound &bound : piece.lower)
    if (bound.dependsOnQuery())
      lower(rows.end, firstBehind(bound, at.j));
    else if (!(bound == Bound::constant(0)))
      require(Compare::sge, at.j, bound);
  return where(holds, rows);
}

/// Whether a piece has all rows of a tile or none, as far as its bounds tell.
static bool reachesAll(const Piece &piece) {
  return llvm::none_of(piece.lower, leavesOutRows) &&
         llvm::none_of(piece.upper, leavesOutRows);
}

/// Such a piece whose pairs lie anywhere: there is hardly a tile without one.
static bool isScattered(const Piece &piece) {
  return reachesAll(piece) && !piece.isBand();
}

/// A piece of bounds of which all tell something of rows.
static bool isSlanted(const Piece &piece) {
  auto isOutOfReach = [](const Bound &bound) {
    return bound.dependsOnQuery() && !PredicateBuilder::isSmall(bound);
  };
  return piece.isBand() && !reachesAll(piece) &&
         llvm::none_of(piece.lower, isOutOfReach) &&
         llvm::none_of(piece.upper, isOutOfReach);
}

std::optional<RowReach> sparse_attn::emitReach(OpBuilder &b, Location loc,
                                               const Pieces &pieces,
                                               const MaskPosition &at,
                                               plan::TileShape tile) {
  if (pieces.size() > kMaxPieces || llvm::all_of(pieces, reachesAll) ||
      llvm::any_of(pieces, isScattered))
    return std::nullopt;
  ReachEmitter emitter(b, loc, at, tile);
  RowReach reach = {emitter.emitLive(pieces), {}};
  if (const Piece *slanted = llvm::find_if(pieces, isSlanted);
      slanted != pieces.end())
    reach.full = emitter.emitFull(*slanted);
  return reach;
}

std::optional<RowReach> sparse_attn::emitReach(OpBuilder &b, Location loc,
                                               MaskAttrInterface mask,
                                               const MaskPosition &at,
                                               plan::TileShape tile) {
  mask::Predicate predicate =
      makePredicate(getMaskWithOwner(mask, at.staticKeys));
  if (predicate.kind != mask::Predicate::Kind::Union)
    return std::nullopt;
  return emitReach(b, loc, predicate.pieces, at, tile);
}
