//===- EmitTileExpr.h - Closed forms as arith ops ---------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_EMITTILEEXPR_H
#define SPARSEATTN_LIB_TRANSFORMS_EMITTILEEXPR_H

#include "SparseAttn/Plan/TileExpr.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace mlir::sparse_attn::transforms {

/// The index values an expression's variables stand for.
struct TileExprVariables {
  Value q, nq, nk;
};

/// Emits index arithmetic for `expr`.
Value emitTileExpr(OpBuilder &b, Location loc, const plan::TileExpr &expr,
                   const TileExprVariables &variables);

/// `end` where `when` is positive, else `begin`: the end of a range of tiles.
Value emitEndWhere(OpBuilder &b, Location loc, const plan::TileExpr &when,
                   Value end, Value begin, const TileExprVariables &variables);

/// Short spellings of folded index arithmetic.
struct IndexMath {
  OpBuilder &b;
  Location loc;

  Value constant(int64_t value) const {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(Value x, Value y) const {
    return b.createOrFold<arith::AddIOp>(loc, x, y);
  }
  Value sub(Value x, Value y) const {
    return b.createOrFold<arith::SubIOp>(loc, x, y);
  }
  Value mul(Value x, int64_t factor) const {
    return b.createOrFold<arith::MulIOp>(loc, x, constant(factor));
  }
  Value min(Value x, Value y) const {
    return b.createOrFold<arith::MinSIOp>(loc, x, y);
  }
  Value max(Value x, Value y) const {
    return b.createOrFold<arith::MaxSIOp>(loc, x, y);
  }
  Value floorDiv(Value x, int64_t divisor) const {
    return b.createOrFold<arith::FloorDivSIOp>(loc, x, constant(divisor));
  }
  Value ceilDiv(Value x, int64_t divisor) const {
    return floorDiv(add(x, constant(divisor - 1)), divisor);
  }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) const {
    return b.createOrFold<arith::CmpIOp>(loc, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) const {
    return b.createOrFold<arith::SelectOp>(loc, condition, x, y);
  }
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_EMITTILEEXPR_H
