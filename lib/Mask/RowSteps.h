//===- RowSteps.h - Where the rows of a mask change their shape -*- C++ -*-===//
//
// Bounds and draws in whole blocks are constant until the next multiple of
// their block.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_MASK_ROWSTEPS_H
#define SPARSEATTN_LIB_MASK_ROWSTEPS_H

#include "Integer.h"
#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/STLExtras.h"

namespace mlir::sparse_attn::mask {

class RowSteps {
public:
  /// The multiples of `block` are steps.
  void add(int64_t block) {
    if (!llvm::is_contained(blocks, block))
      blocks.push_back(block);
  }

  void addBounds(const Piece &piece) {
    for (const Bound &bound :
         llvm::concat<const Bound>(piece.lower, piece.upper))
      if (bound.block > 1)
        add(bound.block);
  }

  /// The steps of the bounds, of the rows of opaque leaves too. Returns true
  /// when all rows between two steps have the same keys.
  bool addAll(const Piece &piece) {
    addBounds(piece);
    bool same = true;
    for (const OpaqueLiteral &literal : piece.opaque)
      add(literal.leaf->getRowGranularity());
    for (const Bound &bound :
         llvm::concat<const Bound>(piece.lower, piece.upper))
      same &= bound.block != 1;
    for (const Residue &residue : piece.residues)
      same &= residue.subject == Residue::Subject::Key;
    for (const PositionSet &set : piece.sets)
      same &= set.ofKey;
    return same;
  }

  /// The first step after row i, far away where there is none.
  int64_t after(int64_t i) const {
    int64_t next = positionLimit;
    for (int64_t block : blocks)
      next = std::min(next, (floorDiv(i, block) + 1) * block);
    return next;
  }

private:
  llvm::SmallVector<int64_t, 4> blocks;
};

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_LIB_MASK_ROWSTEPS_H
