//===- PredicateBuilder.h - i32 arithmetic for mask predicates --*- C++ -*-===//
//
// Positions are i32: half the lanes' width of index arithmetic. Positions are
// less than maxSequenceLength = 2^30 in magnitude, so that the sum of one and a
// constant of that size stays inside 32 bits; what may not is computed in 64
// bits and clamped. Moduli are 2^31 at most. Constants fold on the way.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_IR_PREDICATEBUILDER_H
#define SPARSEATTN_LIB_IR_PREDICATEBUILDER_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::sparse_attn {

class PredicateBuilder {
public:
  PredicateBuilder(OpBuilder &builder, Location loc, const MaskPosition &at)
      : b(builder), loc(loc), at(at) {}

  using Predicate = arith::CmpIPredicate;

  Value constant(bool value) {
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(value));
  }
  /// An i32; values saturate past every position.
  Value integer(int64_t value);
  Value compare(Predicate predicate, Value x, Value y) {
    return b.createOrFold<arith::CmpIOp>(loc, predicate, x, y);
  }
  template <typename Op> Value make(Value x, Value y) {
    return b.createOrFold<Op>(loc, x, y);
  }
  Value select(Value condition, Value x, Value y) {
    return b.createOrFold<arith::SelectOp>(loc, condition, x, y);
  }
  /// x and y, x or y; null stands for the neutral one.
  Value conj(Value x, Value y) {
    return !x || !y ? (x ? x : y) : make<arith::AndIOp>(x, y);
  }
  Value disj(Value x, Value y) {
    return !x || !y ? (x ? x : y) : make<arith::OrIOp>(x, y);
  }

  /// floor(x / divisor), also for negative x; a shift where it can be one.
  Value floorDiv(Value x, int64_t divisor);
  /// divisor * floor(x / divisor).
  Value floorTo(Value x, int64_t divisor);
  /// x - divisor * floor(x / divisor).
  Value floorMod(Value x, int64_t divisor);
  /// The bound at row `at.i`, saturated past every position.
  Value bound(const mask::Bound &bound);
  /// begin <= x < begin + width.
  Value isWithin(Value x, Value begin, int64_t width);
  Value holds(const mask::Residue &residue);

private:
  Value boundWide(const mask::Bound &bound);
  Value wide(int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }
  Value widen(Value x) {
    return b.createOrFold<arith::ExtSIOp>(loc, b.getI64Type(), x);
  }

  OpBuilder &b;
  Location loc;
  const MaskPosition &at;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_PREDICATEBUILDER_H
