//===- VectorizeGathers.h - Rows that a layout names, as vectors -*- C++
//-*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_VECTORIZEGATHERS_H
#define SPARSEATTN_LIB_TRANSFORMS_VECTORIZEGATHERS_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::sparse_attn::transforms {

/// Makes each `gather_rows` under `root` a `read_rows`, whose numbers of rows
/// are a vector. Elements of tensors that are computed from their indices
/// alone, as positions of a lattice in a mask, are computed where they are
/// taken, so that no such tensor has to be in memory.
LogicalResult vectorizeGathers(RewriterBase &rewriter, Operation *root);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_VECTORIZEGATHERS_H
