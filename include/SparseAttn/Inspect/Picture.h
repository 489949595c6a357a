//===- Picture.h - A mask to look at ----------------------------*- C++ -*-===//
//
// A grid of square cells, each a block of (query, key) pairs, drawn as text or
// SVG: which of them are live, and which part of a plan computes them.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_INSPECT_PICTURE_H
#define SPARSEATTN_INSPECT_PICTURE_H

#include "SparseAttn/Plan/Plan.h"
#include "llvm/ADT/StringRef.h"
#include <vector>

namespace mlir::sparse_attn::inspection {

struct Picture {
  /// The state of the cell's pairs.
  mask::TileState state(int64_t row, int64_t column) const {
    return states[row * columns + column];
  }

  /// The part that computes all live pairs of the cell, counted from 1; 0 where
  /// there is none, or no such pair, or several parts do.
  unsigned part(int64_t row, int64_t column) const {
    return parts.empty() ? 0 : parts[row * columns + column];
  }

  mask::Lengths lengths;
  int64_t head = 0;
  /// Queries, and keys, a cell.
  int64_t cell = 1;
  int64_t rows = 0, columns = 0;
  /// Part of all pairs that is live.
  double density = 0;
  std::vector<mask::TileState> states;
  /// The number, from 1 on, of the only part that each cell is live in; 0 where
  /// there is none or several. The list is empty where the plan has fewer than
  /// two parts.
  std::vector<unsigned> parts;
  /// What the parts are called, for people.
  std::vector<std::string> partNames;
};

/// The picture has at most `maxCells` cells a side.
Picture makePicture(const mask::Mask &mask, const mask::Lengths &lengths,
                    int64_t head, int64_t maxCells = 64);

/// Tells the parts of `plan`, where it has several, in the picture.
void addParts(Picture &picture, const plan::Plan &plan);

/// `#` full, `+` partial, `.` empty, with axes and a legend; where there are
/// parts, letters in the place of `#` and `+` where one alone has the cell.
void printAscii(const Picture &picture, llvm::raw_ostream &os);

/// A standalone SVG document under the heading `title`.
void printSvg(const Picture &picture, llvm::StringRef title,
              llvm::raw_ostream &os);

} // namespace mlir::sparse_attn::inspection

#endif // SPARSEATTN_INSPECT_PICTURE_H
