//===- ClosedForm.cpp - Masks that are a fixed union of pieces ------------===//

#include "ClosedForm.h"
#include "PieceAlgebra.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

ClosedForm::ClosedForm(const Pieces &literal) {
  for (const Piece &piece : literal)
    addPiece(closedForm, piece);
}

std::optional<Pieces> ClosedForm::pieces(bool negated,
                                         unsigned maxPieces) const {
  if (negated)
    return complementPieces(closedForm, maxPieces);
  if (closedForm.size() > maxPieces)
    return std::nullopt;
  return closedForm;
}

IntervalSet mask::liveKeysOfPiece(const Piece &piece, const Lengths &n,
                                  int64_t head, int64_t i, Range keys) {
  Range band = bandOfRow(piece, n.nk, i, keys);
  IntervalSet live = keysOfSets(piece, n.nk, band);
  for (const Residue &residue : piece.residues) {
    if (live.empty())
      return live;
    switch (residue.subject) {
    case Residue::Subject::Query:
      if (!residue.holds(i, 0))
        return {};
      break;
    case Residue::Subject::Key:
      live = live.intersect(residueClass(residue, 0, band));
      break;
    case Residue::Subject::KeyMinusQuery:
      live = live.intersect(residueClass(residue, i, band));
      break;
    }
  }
  for (const OpaqueLiteral &literal : piece.opaque) {
    if (live.empty())
      return live;
    IntervalSet keysOfLeaf = literal.leaf->liveKeys(n, head, i, band);
    live = live.intersect(literal.negated ? keysOfLeaf.complementIn(band)
                                          : keysOfLeaf);
  }
  return live;
}

IntervalSet ClosedForm::liveKeys(const Lengths &n, int64_t head, int64_t i,
                                 Range keys) const {
  IntervalSet live;
  for (const Piece &piece : closedForm) {
    IntervalSet more = liveKeysOfPiece(piece, n, head, i, keys);
    live = live.empty() ? std::move(more) : live.unite(more);
  }
  return live;
}

Range mask::clipRows(const Piece &piece, int64_t n, Range rows) {
  for (const Bound &bound : piece.rowLower)
    rows.begin = std::max(rows.begin, bound.evaluate(0, n));
  for (const Bound &bound : piece.rowUpper)
    rows.end = std::min(rows.end, bound.evaluate(0, n));
  return rows;
}

std::optional<TileState>
mask::uniteStates(llvm::ArrayRef<std::optional<TileState>> states) {
  unsigned partial = 0, unknown = 0;
  for (std::optional<TileState> state : states) {
    if (state == TileState::Full)
      return state;
    partial += state == TileState::Partial;
    unknown += !state;
  }
  // Two partial sets may fill the tile together.
  if (unknown || partial > 1)
    return std::nullopt;
  return partial ? TileState::Partial : TileState::Empty;
}

static std::optional<TileState> stateOfPiece(const Piece &piece, int64_t n,
                                             Range rows, Range keys) {
  Range inside = clipRows(piece, n, rows);
  if (inside.empty())
    return TileState::Empty;
  int64_t first = inside.begin, last = inside.end - 1;
  // Bounds do not decrease with i: the first row has the least lower and upper
  // bounds, the last row the greatest.
  Range all = keys, some = keys;
  for (const Bound &bound : piece.lower) {
    all.begin = std::max(all.begin, bound.evaluate(last, n));
    some.begin = std::max(some.begin, bound.evaluate(first, n));
  }
  for (const Bound &bound : piece.upper) {
    all.end = std::min(all.end, bound.evaluate(first, n));
    some.end = std::min(some.end, bound.evaluate(last, n));
  }
  if (some.empty())
    return TileState::Empty;
  for (const PositionSet &set : piece.sets)
    if (set.at(n).intersect(set.ofKey ? some : inside).empty())
      return TileState::Empty;
  if (!piece.residues.empty() || !piece.sets.empty())
    return std::nullopt;
  if (all == keys && inside == rows)
    return TileState::Full;
  // Not full; a live pair in one row makes it partial.
  for (int64_t i : {first, last, first + (last - first) / 2})
    if (!bandOfRow(piece, n, i, keys).empty())
      return TileState::Partial;
  return std::nullopt;
}

std::optional<TileState> ClosedForm::tileState(const Lengths &n, int64_t head,
                                               Range rows, Range keys) const {
  llvm::SmallVector<std::optional<TileState>, 4> states;
  for (const Piece &piece : closedForm)
    states.push_back(stateOfPiece(piece, n.nk, rows, keys));
  return uniteStates(states);
}
