//===- RowReach.h - The rows that a key tile reaches ------------*- C++ -*-===//
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
// Kernels compute this for each tile, and whoever asks what they compute does.
// So the rules are written once, for any arithmetic on positions:
//
//   Number, Condition              of positions, and what holds or not
//   Number number(int64_t)         saturated past every position
//   Number add(Number, Number), subtract, least, most
//   Number floorTo(Number x, int64_t block)      block floor(x / block)
//   Number bound(const mask::Bound &)            at the tile's first row
//   Condition isBelow(Number x, Number y)        x < y
//   Condition isAtLeast(Number x, Number y)      x >= y
//   Condition both(Condition, Condition)
//   Number select(Condition, Number, Number)
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PLAN_ROWREACH_H
#define SPARSEATTN_PLAN_ROWREACH_H

#include "SparseAttn/Plan/Plan.h"

namespace mlir::sparse_attn::plan {

/// Whether it costs less to ask which rows of a tile the pieces reach than it
/// gains: they are few, all are bands or leave out rows, and some does.
bool leavesOutRows(const mask::Pieces &pieces);

/// The piece whose full rows are told, or null.
const mask::Piece *findSlanted(const mask::Pieces &pieces);

/// Whether a bound moves with the row, so that it leaves out rows of a tile.
inline bool leavesOutRows(const mask::Bound &bound) {
  return bound.dependsOnQuery() && bound.isSmall();
}

/// Positions from `begin` on and before `end`; none where these are the other
/// way round.
template <typename Number> struct RowsBetween {
  Number begin, end;
};

/// What is said of one tile: its `tile.queries` rows stand at `firstRow` and
/// the positions behind it, its `tile.keys` keys at `firstKey` and those behind
/// it, among `numKeys`.
template <typename Math> class ReachRules {
public:
  using Number = typename Math::Number;
  using Condition = typename Math::Condition;
  using Rows = RowsBetween<Number>;

  ReachRules(Math math, Number firstRow, Number firstKey, Number numKeys,
             TileShape tile)
      : math(math), firstRow(firstRow), firstKey(firstKey), numKeys(numKeys),
        lastRow(math.add(firstRow, math.number(tile.queries - 1))),
        lastKey(math.add(firstKey, math.number(tile.keys - 1))) {}

  /// All rows that may have a pair of some piece, of which there are some. No
  /// tile lies beyond the keys.
  Rows live(const mask::Pieces &pieces);
  /// Rows that see all keys of the tile by `piece`.
  Rows full(const mask::Piece &piece);

private:
  Rows live(const mask::Piece &piece);
  /// The first row in which `bound` is larger than `key`.
  Number firstBehind(const mask::Bound &bound, Number key) {
    Number start = math.subtract(key, math.number(bound.offset));
    return math.add(math.floorTo(start, bound.block), math.number(bound.block));
  }

  /// Bounds, and a condition, of which there may be none.
  struct Limits {
    std::optional<Number> begin, end;
    std::optional<Condition> holds;
  };
  void raise(Limits &rows, Number to) {
    rows.begin = rows.begin ? math.most(*rows.begin, to) : to;
  }
  void lower(Limits &rows, Number to) {
    rows.end = rows.end ? math.least(*rows.end, to) : to;
  }
  void require(Limits &rows, Condition holds) {
    rows.holds = rows.holds ? math.both(*rows.holds, holds) : holds;
  }
  /// What must hold for any pair of the tile to be one of `piece`.
  void requireSome(Limits &rows, const mask::Piece &piece);
  Rows rowsOf(const Limits &limits);

  Math math;
  Number firstRow, firstKey, numKeys, lastRow, lastKey;
};

template <typename Math>
auto ReachRules<Math>::live(const mask::Pieces &pieces) -> Rows {
  std::optional<Rows> all;
  for (const mask::Piece &piece : pieces) {
    Rows some = live(piece);
    all = all ? Rows{math.least(all->begin, some.begin),
                     math.most(all->end, some.end)}
              : some;
  }
  return *all;
}

template <typename Math>
void ReachRules<Math>::requireSome(Limits &rows, const mask::Piece &piece) {
  for (const mask::Bound &bound : piece.rowLower)
    require(rows, math.isAtLeast(lastRow, math.bound(bound)));
  for (const mask::Bound &bound : piece.rowUpper)
    require(rows, math.isBelow(firstRow, math.bound(bound)));
  for (const mask::Bound &bound : piece.lower)
    if (!bound.dependsOnQuery() && !(bound == mask::Bound::constant(0)))
      require(rows, math.isAtLeast(lastKey, math.bound(bound)));
  for (const mask::Bound &bound : piece.upper)
    if (!bound.dependsOnQuery() && !(bound == mask::Bound::fromEnd(0)))
      require(rows, math.isBelow(firstKey, math.bound(bound)));
}

template <typename Math>
auto ReachRules<Math>::live(const mask::Piece &piece) -> Rows {
  Limits rows;
  for (const mask::Bound &bound : piece.upper)
    if (leavesOutRows(bound))
      raise(rows, firstBehind(bound, firstKey));
  for (const mask::Bound &bound : piece.lower)
    if (leavesOutRows(bound))
      lower(rows, firstBehind(bound, lastKey));
  requireSome(rows, piece);
  return rowsOf(rows);
}

template <typename Math>
auto ReachRules<Math>::full(const mask::Piece &piece) -> Rows {
  Limits rows;
  // A tile may pass the end of the keys, whatever the piece says of them.
  require(rows, math.isBelow(lastKey, numKeys));
  for (const mask::Bound &bound : piece.rowLower)
    raise(rows, math.bound(bound));
  for (const mask::Bound &bound : piece.rowUpper)
    lower(rows, math.bound(bound));
  for (const mask::Bound &bound : piece.upper)
    if (bound.dependsOnQuery())
      raise(rows, firstBehind(bound, lastKey));
    else if (!(bound == mask::Bound::fromEnd(0)))
      require(rows, math.isBelow(lastKey, math.bound(bound)));
  for (const mask::Bound &bound : piece.lower)
    if (bound.dependsOnQuery())
      lower(rows, firstBehind(bound, firstKey));
    else if (!(bound == mask::Bound::constant(0)))
      require(rows, math.isAtLeast(firstKey, math.bound(bound)));
  return rowsOf(rows);
}

template <typename Math>
auto ReachRules<Math>::rowsOf(const Limits &limits) -> Rows {
  Number lowest = math.number(-mask::maxSequenceLength);
  Number highest = math.number(mask::maxSequenceLength);
  Rows rows = {limits.begin.value_or(lowest), limits.end.value_or(highest)};
  if (!limits.holds)
    return rows;
  return {math.select(*limits.holds, rows.begin, highest),
          math.select(*limits.holds, rows.end, lowest)};
}

/// The positions that kernels take for those that may have a live pair in the
/// tile; nullopt where they do not ask.
std::optional<mask::Range> findLiveRows(const mask::Pieces &pieces,
                                        const mask::Lengths &n,
                                        int64_t firstRow, int64_t firstKey,
                                        TileShape tile);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_PLAN_ROWREACH_H
