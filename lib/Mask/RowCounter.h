//===- RowCounter.h - Live keys of a row, counted ---------------*- C++ -*-===//
//
// Over a stretch of rows between two steps a piece is bounded by diagonals and
// constants only, and its number of keys is a simple function of the row.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_MASK_ROWCOUNTER_H
#define SPARSEATTN_LIB_MASK_ROWCOUNTER_H

#include "Integer.h"
#include "SparseAttn/Mask/Mask.h"

namespace mlir::sparse_attn::mask {

/// The keys j with max(i + diagonal, constant) of `lower` <= j < min(i +
/// diagonal, constant) of `upper` and all residues. A diagonal that bounds
/// nothing is positionLimit away.
struct LinearPiece {
  int64_t lowerDiagonal = -positionLimit, lowerConstant = 0;
  int64_t upperDiagonal = positionLimit, upperConstant = 0;
  llvm::ArrayRef<Residue> residues;

  Range keys(int64_t i) const {
    return {std::max(i + lowerDiagonal, lowerConstant),
            std::min(i + upperDiagonal, upperConstant)};
  }
};

/// Counts the keys of a union of linear pieces.
class RowCounter {
public:
  explicit RowCounter(llvm::ArrayRef<LinearPiece> pieces) : pieces(pieces) {}

  /// Live pairs of the rows.
  uint64_t countRows(Range rows);

private:
  /// Live pairs of rows over which the bounds keep their order.
  uint64_t countOrderedRows(Range rows, int64_t period);
  uint64_t countRow(int64_t i);
  uint64_t countResidues(int64_t i);

  llvm::ArrayRef<LinearPiece> pieces;
  // Kept between rows for their memory.
  llvm::SmallVector<Range, 16> dense;
  llvm::SmallVector<std::pair<Range, llvm::ArrayRef<Residue>>, 8> sparse;
  llvm::SmallVector<int64_t, 16> cuts;
};

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_LIB_MASK_ROWCOUNTER_H
