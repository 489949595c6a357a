//===- Picture.cpp - A mask to look at ------------------------------------===//

#include "SparseAttn/Inspect/Picture.h"
#include "SparseAttn/Plan/PlanParts.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::mask;

static Picture makeGrid(const Lengths &lengths, int64_t head,
                        int64_t maxCells) {
  Picture picture;
  picture.lengths = lengths;
  picture.head = head;
  int64_t longest = std::max<int64_t>({lengths.nq, lengths.nk, 1});
  picture.cell = (longest + maxCells - 1) / maxCells;
  picture.rows = (lengths.nq + picture.cell - 1) / picture.cell;
  picture.columns = (lengths.nk + picture.cell - 1) / picture.cell;
  return picture;
}

/// The queries or keys of cell `index` along a side of `length`.
static Range cellRange(const Picture &picture, int64_t index, int64_t length) {
  return Range{index * picture.cell, (index + 1) * picture.cell}.intersect(
      {0, length});
}

static double divide(double part, const Lengths &n) {
  double all = static_cast<double>(n.nq) * static_cast<double>(n.nk);
  return all == 0 ? 0 : part / all;
}

/// The states of the cells by the pairs of `mask`.
static std::vector<TileState> classifyCells(const Picture &picture,
                                            const Mask &mask) {
  const Lengths &n = picture.lengths;
  std::vector<TileState> states;
  for (int64_t r = 0; r < picture.rows; ++r) {
    Range rows = cellRange(picture, r, n.nq);
    rows.begin += n.firstQuery();
    rows.end += n.firstQuery();
    for (int64_t c = 0; c < picture.columns; ++c)
      states.push_back(classifyTile(mask, n, picture.head, rows,
                                    cellRange(picture, c, n.nk)));
  }
  return states;
}

Picture inspection::makePicture(const Mask &mask, const Lengths &lengths,
                                int64_t head, int64_t maxCells) {
  Picture picture = makeGrid(lengths, head, maxCells);
  picture.states = classifyCells(picture, mask);
  picture.density =
      divide(static_cast<double>(countLivePairs(mask, lengths, head)), lengths);
  return picture;
}

/// The positions of the rows of `cls`.
static Mask rowsOf(const plan::RowClass &cls, const Lengths &n) {
  Piece rows;
  rows.rowLower = {
      Bound::constant(cls.rowBegin.evaluate(0, n) + n.firstQuery())};
  rows.rowUpper = {Bound::constant(cls.rowEnd.evaluate(0, n) + n.firstQuery())};
  return Mask::ofPieces({rows});
}

/// The pairs that a part names, but for rows that the last part computes alone.
static Mask pairsOf(const plan::Plan &plan, const plan::Part &part,
                    const Lengths &n) {
  Pieces pairs;
  for (const Piece &piece : part.pairs)
    pairs.push_back(plan::unfoldPiece(piece, part.step));
  Mask mask = Mask::ofPieces(pairs);
  if (&part == &plan.parts.back())
    return mask;
  for (const plan::RowClass &cls : llvm::drop_begin(plan.parts.back().classes))
    mask = Mask::intersectionOf({mask, Mask::complementOf(rowsOf(cls, n))});
  return mask;
}

void inspection::addParts(Picture &picture, const plan::Plan &plan) {
  if (plan.parts.size() < 2)
    return;
  picture.parts.assign(picture.states.size(), 0);
  std::vector<bool> isShared(picture.states.size());
  for (const plan::Part &part : plan.parts) {
    Mask pairs = pairsOf(plan, part, picture.lengths);
    picture.partNames.push_back(
        "part " + std::to_string(picture.partNames.size() + 1) +
        (part.step > 1 ? ", folded by " + std::to_string(part.step) : ""));
    std::vector<TileState> own = classifyCells(picture, pairs);
    for (size_t cell = 0; cell < own.size(); ++cell) {
      if (own[cell] == TileState::Empty || isShared[cell])
        continue;
      isShared[cell] = picture.parts[cell] != 0;
      picture.parts[cell] =
          isShared[cell] ? 0 : static_cast<unsigned>(picture.partNames.size());
    }
  }
}
