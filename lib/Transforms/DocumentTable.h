//===- DocumentTable.h - The ids of documents, tile by tile -----*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_DOCUMENTTABLE_H
#define SPARSEATTN_LIB_TRANSFORMS_DOCUMENTTABLE_H

#include "EmitTileExpr.h"
#include "ReductionShapes.h"

namespace mlir::sparse_attn::transforms {

/// i32 arithmetic.
struct IntMath {
  OpBuilder &b;
  Location loc;

  Value constant(int32_t value) const {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  Value fromIndex(Value x) const {
    return b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), x);
  }
  Value toIndex(Value x) const {
    return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), x);
  }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) const {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  Value both(Value x, Value y) const {
    return arith::AndIOp::create(b, loc, x, y);
  }
  Value either(Value x, Value y) const {
    return arith::OrIOp::create(b, loc, x, y);
  }
  Value min(Value x, Value y) const {
    return arith::MinSIOp::create(b, loc, x, y);
  }
  Value max(Value x, Value y) const {
    return arith::MaxSIOp::create(b, loc, x, y);
  }
  Value select(Value condition, Value x, Value y) const {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
};

/// Ids of some positions, i32: the least and the greatest of those of 0 and
/// more, and the least of all; and all of them, a tensor of one dimension.
struct Ids {
  Value least, greatest, lowest, all;

  /// The id that all positions have; -1 where they have none in common.
  Value common(OpBuilder &b, Location loc) const;
};

/// Positions from `first` on of the sequence `batch`, whose sizes are `here`;
/// the first `count` of `all`, of which what lies outside of the sequence has
/// no document. Indices.
struct Positions {
  Value batch, first, count;
  const ReductionShapes &here;
  int64_t all;
};

/// Reads ids into `destination`, as `none` where there is no document.
Ids readIds(OpBuilder &b, Location loc, Value documents, const Positions &at,
            int32_t none, Value destination);

/// What is known of the tiles of one axis: tensor<B x tiles x numbers x i32>
/// and the ids of their positions, tensor<B x (tiles * size) x i32>.
struct DocumentTable {
  Value numbers, ids;
  int64_t size = 0; ///< positions of a tile
  explicit operator bool() const { return bool(numbers); }
};

/// Makes the numbers and reads the ids of the tile with ids (batch, tile),
/// these into a slice.
using DescribeTileFn = function_ref<std::pair<SmallVector<Value>, Ids>(
    OpBuilder &, ValueRange, Value)>;

/// Emits the loop that describes all tiles, of `size` positions and `count`
/// numbers each.
DocumentTable makeTable(OpBuilder &b, Location loc, Value batches, Value tiles,
                        int64_t count, int64_t size, DescribeTileFn describe);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_DOCUMENTTABLE_H
