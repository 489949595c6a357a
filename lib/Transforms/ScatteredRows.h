//===- ScatteredRows.h - Results of slots to their rows ---------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_SCATTEREDROWS_H
#define SPARSEATTN_LIB_TRANSFORMS_SCATTEREDROWS_H

#include "QueryTiles.h"

namespace mlir::sparse_attn::transforms {

/// Tensors for the results of a class whose rows stand in a layout: like
/// `outputs` [B, Hq, Sq, ...], with a row for each padded slot.
SmallVector<Value> makeSlotResults(OpBuilder &b, Location loc,
                                   const QueryTiles &tiles, ValueRange outputs);

/// `outputs` with the rows of the class from `results`, those of its slots; a
/// slot that is no row is left out. One grid, of a block a slot.
SmallVector<Value> scatterRows(OpBuilder &b, Location loc,
                               const ReductionShapes &shapes,
                               const QueryTiles &tiles, ValueRange results,
                               ValueRange outputs);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_SCATTEREDROWS_H
