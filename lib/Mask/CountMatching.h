//===- CountMatching.h - Keys of a range in residue classes -----*- C++ -*-===//

#ifndef SPARSEATTN_LIB_MASK_COUNTMATCHING_H
#define SPARSEATTN_LIB_MASK_COUNTMATCHING_H

#include "SparseAttn/Mask/Piece.h"
#include "llvm/ADT/ArrayRef.h"

namespace mlir::sparse_attn::mask {

/// A conjunction of residues.
using Residues = llvm::ArrayRef<Residue>;

/// The number of keys of `range` that satisfy one of `active`, in row i.
/// Residues of the query are taken to hold.
uint64_t countMatching(llvm::ArrayRef<Residues> active, int64_t i, Range range);

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_LIB_MASK_COUNTMATCHING_H
