//===- PartStates.h - States that parts of a plan leave ---------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_PARTSTATES_H
#define SPARSEATTN_LIB_TRANSFORMS_PARTSTATES_H

#include "QueryTiles.h"

namespace mlir::sparse_attn::transforms {

/// The states that all parts of a plan but the last leave in memory, as tensors
/// [parts, B, slices of Hq, rows, ...]. There are as many rows as all parts
/// need that write whole tiles.
class PartStates {
public:
  /// `state` is one of any number of rows.
  PartStates(OpBuilder &b, MaskedReductionOpInterface op, Value batch,
             Value heads, Value rows, int64_t parts, Type state);

  ValueRange getTensors() const { return tensors; }
  void setTensors(ValueRange next) { tensors.assign(next.begin(), next.end()); }

  /// Of each of `tensors`, which are these or take their place in a loop, the
  /// slice [rows, ...] of part number `part`; `ids` are those of the tile's
  /// batch and slice of heads.
  static SmallVector<Value> slices(OpBuilder &b, Location loc,
                                   ValueRange tensors, Value part,
                                   ValueRange ids, const QueryTile &at,
                                   int64_t rows);
  /// Slices [parts, rows, ...] of all parts.
  SmallVector<Value> slicesOfAll(OpBuilder &b, Location loc, ValueRange ids,
                                 const QueryTile &at, int64_t rows) const {
    return slices(b, loc, tensors, /*part=*/Value(), ids, at, rows);
  }

private:
  SmallVector<Value> tensors;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_PARTSTATES_H
