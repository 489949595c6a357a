//===- Classify.cpp - The state of a tile, the keys of some rows ----------===//

#include "ClosedForm.h"
#include "Integer.h"
#include "RowSteps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::SmallVector;

static Range allRows(const Lengths &n) { return {n.firstQuery(), n.nk}; }

TileState mask::classifyTile(const Mask &mask, const Lengths &n, int64_t head,
                             Range rows, Range keys) {
  rows = rows.intersect(allRows(n));
  keys = keys.intersect({0, n.nk});
  if (rows.empty() || keys.empty())
    return TileState::Empty;
  const MaskNode &node = mask.getNode();
  if (std::optional<TileState> state = node.tileState(n, head, rows, keys))
    return *state;
  bool anyLive = false, allLive = true;
  for (int64_t i = rows.begin; i < rows.end && (!anyLive || allLive); ++i) {
    IntervalSet live = node.liveKeys(n, head, i, keys);
    anyLive |= !live.empty();
    allLive &= live.covers(keys);
  }
  return !anyLive  ? TileState::Empty
         : allLive ? TileState::Full
                   : TileState::Partial;
}

//===----------------------------------------------------------------------===//
// liveKeysOfRows
//===----------------------------------------------------------------------===//

/// The union over rows [rows.begin, rows.end) of the bands
///   max(i + diagonalLower, constantLower) <= j
///   j < min(i + diagonalUpper, constantUpper),
/// where no limit is positionLimit away.
static Range bandOfStretch(const Piece &piece, int64_t n, Range rows,
                           Range keys) {
  // Over these rows a bound is either constant or moves by one a row.
  int64_t diagonalLower = -positionLimit, diagonalUpper = positionLimit;
  int64_t i = rows.begin;
  for (const Bound &bound : piece.lower) {
    int64_t value = bound.evaluate(i, n);
    if (bound.block == 1)
      diagonalLower = std::max(diagonalLower, value - i);
    else
      keys.begin = std::max(keys.begin, value);
  }
  for (const Bound &bound : piece.upper) {
    int64_t value = bound.evaluate(i, n);
    if (bound.block == 1)
      diagonalUpper = std::min(diagonalUpper, value - i);
    else
      keys.end = std::min(keys.end, value);
  }
  if (keys.empty() || diagonalLower >= diagonalUpper)
    return {};
  // A row is live where i + diagonalLower < keys.end and
  // keys.begin < i + diagonalUpper: a stretch of rows, in which each row's
  // keys overlap or touch the next row's.
  Range live = rows.intersect(
      {keys.begin - diagonalUpper + 1, keys.end - diagonalLower});
  if (live.empty())
    return {};
  return {std::max(keys.begin, live.begin + diagonalLower),
          std::min(keys.end, live.end - 1 + diagonalUpper)};
}

/// The union over the rows of a piece that is a band.
static void addBand(const Piece &piece, int64_t n, Range rows, Range keys,
                    SmallVector<Range> &result) {
  RowSteps steps;
  steps.addBounds(piece);
  rows = clipRows(piece, n, rows);
  for (int64_t i = rows.begin; i < rows.end;) {
    int64_t next = std::min(rows.end, steps.after(i));
    Range band = bandOfStretch(piece, n, {i, next}, keys);
    if (!band.empty()) {
      if (!result.empty() && result.back().begin <= band.begin &&
          band.begin <= result.back().end)
        result.back().end = std::max(result.back().end, band.end);
      else
        result.push_back(band);
    }
    i = next;
  }
}

IntervalSet mask::liveKeysOfRows(const Mask &mask, const Lengths &n,
                                 int64_t head, Range rows) {
  rows = rows.intersect(allRows(n));
  Range keys{0, n.nk};
  if (rows.empty() || keys.empty())
    return {};
  std::optional<Pieces> pieces = mask.pieces(defaultMaxPieces);
  // A range of rows is a band, whatever they are.
  if (pieces)
    pieces = expandSets(*pieces, /*maxPieces=*/SIZE_MAX);
  SmallVector<Range> bands;
  Pieces others;
  if (pieces) {
    for (const Piece &piece : *pieces) {
      if (piece.isBand())
        addBand(piece, n.nk, rows, keys, bands);
      else
        others.push_back(piece);
    }
  }
  IntervalSet live = IntervalSet::fromRanges(std::move(bands));
  auto done = [&] { return live.covers(keys); };
  if (!pieces) {
    for (int64_t i = rows.begin; i < rows.end && !done(); ++i)
      live = live.unite(mask.liveKeys(n, head, i, keys));
    return live;
  }
  for (const Piece &piece : others) {
    RowSteps steps;
    bool sameInStep = steps.addAll(piece);
    Range inside = clipRows(piece, n.nk, rows);
    for (int64_t i = inside.begin; i < inside.end && !done();
         i = sameInStep ? steps.after(i) : i + 1)
      live = live.unite(liveKeysOfPiece(piece, n, head, i, keys));
  }
  return live;
}
