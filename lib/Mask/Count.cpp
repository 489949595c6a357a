//===- Count.cpp - The exact number of live pairs -------------------------===//

#include "ClosedForm.h"
#include "RowCounter.h"
#include "RowSteps.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::SmallVectorImpl;

/// Beyond so many pieces rows are counted one by one.
static constexpr unsigned maxCountedPieces = 1024;

/// The keys that `literals` leave of `keys` in row i.
static IntervalSet keysOfLeaves(ArrayRef<OpaqueLiteral> literals,
                                const Lengths &n, int64_t head, int64_t i,
                                Range keys) {
  IntervalSet live = keys;
  for (const OpaqueLiteral &literal : literals) {
    IntervalSet keysOfLeaf = literal.leaf->liveKeys(n, head, i, keys);
    live = live.intersect(literal.negated ? keysOfLeaf.complementIn(keys)
                                          : keysOfLeaf);
  }
  return live;
}

/// Adds `piece` as it is over `rows`, between two steps and inside its row
/// bounds.
static void linearize(const Piece &piece, const Lengths &n, int64_t head,
                      Range rows, SmallVectorImpl<LinearPiece> &result) {
  LinearPiece linear;
  linear.upperConstant = n.nk;
  linear.residues = piece.residues;
  int64_t i = rows.begin;
  for (const Bound &bound : piece.lower) {
    int64_t value = bound.evaluate(i, n.nk);
    if (bound.block == 1)
      linear.lowerDiagonal = std::max(linear.lowerDiagonal, value - i);
    else
      linear.lowerConstant = std::max(linear.lowerConstant, value);
  }
  for (const Bound &bound : piece.upper) {
    int64_t value = bound.evaluate(i, n.nk);
    if (bound.block == 1)
      linear.upperDiagonal = std::min(linear.upperDiagonal, value - i);
    else
      linear.upperConstant = std::min(linear.upperConstant, value);
  }
  Range hull{linear.keys(rows.begin).begin, linear.keys(rows.end - 1).end};
  if (hull.empty())
    return;
  if (piece.opaque.empty()) {
    result.push_back(linear);
    return;
  }
  IntervalSet ofLeaves = keysOfLeaves(piece.opaque, n, head, i, hull);
  for (Range range : ofLeaves.ranges()) {
    LinearPiece part = linear;
    part.lowerConstant = std::max(part.lowerConstant, range.begin);
    part.upperConstant = std::min(part.upperConstant, range.end);
    result.push_back(part);
  }
}

uint64_t mask::countLivePairs(const Mask &mask, const Lengths &n, int64_t head,
                              Range rows) {
  rows = rows.intersect({n.firstQuery(), n.nk});
  uint64_t count = 0;
  std::optional<Pieces> pieces = mask.pieces(maxCountedPieces);
  if (pieces)
    pieces = expandSets(*pieces, maxCountedPieces);
  if (!pieces) {
    for (int64_t i = rows.begin; i < rows.end; ++i)
      count += mask.liveKeys(n, head, i, {0, n.nk}).size();
    return count;
  }
  RowSteps steps;
  SmallVector<Range, 8> rowsOfPieces;
  SmallVector<int64_t, 16> rowCuts{rows.end};
  for (const Piece &piece : *pieces) {
    steps.addAll(piece);
    Range inside = clipRows(piece, n.nk, rows);
    rowsOfPieces.push_back(inside);
    if (!inside.empty())
      rowCuts.append({inside.begin, inside.end});
  }
  llvm::sort(rowCuts);
  const int64_t *cut = rowCuts.begin();
  SmallVector<LinearPiece, 16> linear;
  for (int64_t i = rows.begin; i < rows.end;) {
    while (*cut <= i)
      ++cut;
    Range stretch{i, std::min(*cut, steps.after(i))};
    linear.clear();
    for (auto [piece, inside] : llvm::zip_equal(*pieces, rowsOfPieces))
      if (inside.contains(i))
        linearize(piece, n, head, stretch, linear);
    count += RowCounter(linear).countRows(stretch);
    i = stretch.end;
  }
  return count;
}

uint64_t mask::countLivePairs(const Mask &mask, const Lengths &n,
                              int64_t head) {
  return countLivePairs(mask, n, head, {n.firstQuery(), n.nk});
}
