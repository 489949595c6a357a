//===- ScatteredRows.h - Rows that are no neighbours --------------*- C++
//-*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_SCATTEREDROWS_H
#define SPARSEATTN_LIB_TRANSFORMS_SCATTEREDROWS_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn::transforms {

/// What decides which slots of a tile are rows.
struct SlotLimits {
  /// The position of row 0, an index.
  Value firstPosition;
  /// How many rows there are, and how many slots the class still has; null
  /// where all slots of all tiles are rows.
  Value numQueries = {}, slots = {};
  /// Whether the tensors have no other rows, so that a row behind the last one
  /// is past their ends.
  bool areRowsOfTensor = true;
};

/// Says in `at` where the slots at `positions`, tensor<Bm x i32>, are read from
/// and written to. A slot that is no row of the class is computed as the
/// nearest row is, and is written nowhere.
void setScatteredRows(OpBuilder &b, Location loc, Value positions,
                      const SlotLimits &limits, QueryTile &at);

/// Tensors for the results of such a tile, [Bm, ...]: of the columns that
/// `outputs` [B, Hq, Sq, ...] have, or of as many as a slice that `at` names a
/// column of.
SmallVector<Value> makeScatteredResults(OpBuilder &b, Location loc,
                                        const QueryTile &at, ValueRange outputs,
                                        int64_t columns);

/// Brings them to their rows, as the last thing inside a forall. Those that
/// have no columns are written with the slice of the first ones.
void scatterInParallel(OpBuilder &b, Location loc, const QueryTile &at,
                       ValueRange results, ValueRange outputs);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_SCATTEREDROWS_H
