//===- VisitTiles.h - A planned reduction as loops over tiles ---*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_VISITTILES_H
#define SPARSEATTN_LIB_TRANSFORMS_VISITTILES_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn::transforms {

/// Replaces each masked reduction and each merge under `root` by loops over its
/// plan's tiles (see --sparse-attn-visit-tiles). Rows that see every key are
/// split along the keys into `heavySplits` parts; those of fewer rows than a
/// tile in steps of at most `heavyKeys` keys, unless that is 0. Fails, with an
/// error, at an op without a plan or on memrefs.
LogicalResult visitTiles(Operation *root, int64_t heavySplits,
                         int64_t heavyKeys = 0);

/// What replaces a merge: a loop over tiles of its rows.
SmallVector<Value> visitMerge(MergeOp op);

/// Ends an scf.forall: inserts each tile where its slice was taken.
void insertInParallel(OpBuilder &b, Location loc, ValueRange tiles,
                      ValueRange slices);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_VISITTILES_H
