//===- VisitTiles.h - A planned reduction as loops over tiles ---*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_VISITTILES_H
#define SPARSEATTN_LIB_TRANSFORMS_VISITTILES_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn::transforms {

/// How reductions are visited.
struct VisitOptions {
  /// Rows that see every key are split along the keys into so many parts.
  int64_t heavySplits;
  /// Parts of fewer rows than a tile take steps of so many keys at most, unless
  /// it is 0.
  int64_t heavyKeys = 0;
  /// Results of more columns than this are cut into slices that are computed
  /// apart; 0 is no limit. Where elements have more than 2 bytes, it is
  /// `singleColumns` unless that is 0.
  int64_t valueColumns = 0, singleColumns = 0;
  /// The states of parts are merged in slices of so many columns at most, each
  /// by an iteration of its own; 0 is no limit.
  int64_t mergeColumns = 0;

  int64_t columnsAtOnce(const TileNeeds &needs) const {
    return singleColumns > 0 && needs.elementBytes > 2 ? singleColumns
                                                       : valueColumns;
  }
};

/// Replaces each masked reduction and each merge under `root` by loops over its
/// plan's tiles (see --sparse-attn-visit-tiles). Fails, with an error, at an op
/// without a plan or on memrefs.
LogicalResult visitTiles(Operation *root, const VisitOptions &options);

/// What replaces a merge: a loop over tiles of its rows.
SmallVector<Value> visitMerge(MergeOp op);

/// Ends an scf.forall: inserts each tile where its slice was taken.
void insertInParallel(OpBuilder &b, Location loc, ValueRange tiles,
                      ValueRange slices);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_VISITTILES_H
