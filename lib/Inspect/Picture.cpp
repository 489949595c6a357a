//===- Picture.cpp - A mask to look at ------------------------------------===//

#include "SparseAttn/Inspect/Picture.h"
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
  picture.states.assign(picture.rows * picture.columns, TileState::Empty);
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

Picture inspection::makePicture(const Mask &mask, const Lengths &lengths,
                                int64_t head, int64_t maxCells) {
  Picture picture = makeGrid(lengths, head, maxCells);
  for (int64_t r = 0; r < picture.rows; ++r) {
    Range rows = cellRange(picture, r, lengths.nq);
    rows.begin += lengths.firstQuery();
    rows.end += lengths.firstQuery();
    for (int64_t c = 0; c < picture.columns; ++c)
      picture.states[r * picture.columns + c] = classifyTile(
          mask, lengths, head, rows, cellRange(picture, c, lengths.nk));
  }
  picture.density =
      divide(static_cast<double>(countLivePairs(mask, lengths, head)), lengths);
  return picture;
}
