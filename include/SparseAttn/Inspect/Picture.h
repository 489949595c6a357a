//===- Picture.h - A mask to look at ----------------------------*- C++ -*-===//
//
// A grid of square cells, each a block of (query, key) pairs, drawn as text or
// SVG: which of them are live.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_INSPECT_PICTURE_H
#define SPARSEATTN_INSPECT_PICTURE_H

#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/StringRef.h"
#include <vector>

namespace mlir::sparse_attn::inspection {

struct Picture {
  /// The state of the cell's pairs.
  mask::TileState state(int64_t row, int64_t column) const {
    return states[row * columns + column];
  }

  mask::Lengths lengths;
  int64_t head = 0;
  /// Queries, and keys, a cell.
  int64_t cell = 1;
  int64_t rows = 0, columns = 0;
  /// Part of all pairs that is live.
  double density = 0;
  std::vector<mask::TileState> states;
};

/// The picture has at most `maxCells` cells a side.
Picture makePicture(const mask::Mask &mask, const mask::Lengths &lengths,
                    int64_t head, int64_t maxCells = 64);

/// `#` full, `+` partial, `.` empty, with axes and a legend.
void printAscii(const Picture &picture, llvm::raw_ostream &os);

/// A standalone SVG document under the heading `title`.
void printSvg(const Picture &picture, llvm::StringRef title,
              llvm::raw_ostream &os);

} // namespace mlir::sparse_attn::inspection

#endif // SPARSEATTN_INSPECT_PICTURE_H
