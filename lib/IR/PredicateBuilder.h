//===- PredicateBuilder.h - i32 arithmetic for mask predicates --*- C++ -*-===//
//
// Positions are i32: half the lanes' width of index arithmetic. Sequences are
// shorter than maxSequenceLength = 2^30, so that the sum of a position and a
// saturated parameter stays inside 32 bits. Constants fold on the way, so that
// a predicate costs only what its parameters need.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_IR_PREDICATEBUILDER_H
#define SPARSEATTN_LIB_IR_PREDICATEBUILDER_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <limits>

namespace mlir::sparse_attn {

class PredicateBuilder {
public:
  PredicateBuilder(OpBuilder &builder, Location loc, const MaskPosition &)
      : b(builder), loc(loc) {}

  Value constant(bool value) {
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(value));
  }
  /// An i32; values saturate past every position.
  Value integer(int64_t value) {
    value =
        std::clamp(value, -mask::maxSequenceLength, mask::maxSequenceLength);
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  /// x * y as an i32, saturated likewise.
  Value product(int64_t x, int64_t y) {
    int64_t result;
    if (!llvm::MulOverflow(x, y, result))
      return integer(result);
    return integer((x < 0) == (y < 0) ? std::numeric_limits<int64_t>::max()
                                      : std::numeric_limits<int64_t>::min());
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }

  Value lt(Value x, Value y) {
    return compare(arith::CmpIPredicate::slt, x, y);
  }
  Value le(Value x, Value y) {
    return compare(arith::CmpIPredicate::sle, x, y);
  }
  Value ge(Value x, Value y) {
    return compare(arith::CmpIPredicate::sge, x, y);
  }
  Value eq(Value x, Value y) { return compare(arith::CmpIPredicate::eq, x, y); }

  Value conj(Value x, Value y) {
    if (isConstant(x, true))
      return y;
    return arith::AndIOp::create(b, loc, x, y);
  }
  Value disj(Value x, Value y) {
    if (isConstant(x, false))
      return y;
    return arith::OrIOp::create(b, loc, x, y);
  }

  /// floor(x / divisor), also for negative x; a shift where it can be one.
  Value floorDiv(Value x, int64_t divisor) {
    if (divisor == 1)
      return x;
    // A larger divisor has the same quotients, 0 and -1.
    divisor = std::min(divisor, mask::maxSequenceLength);
    if (llvm::isPowerOf2_64(divisor))
      return arith::ShRSIOp::create(b, loc, x, integer(llvm::Log2_64(divisor)));
    return arith::FloorDivSIOp::create(b, loc, x, integer(divisor));
  }
  /// x - divisor * floor(x / divisor), for x >= 0 or small divisors.
  Value floorMod(Value x, int64_t divisor) {
    // A larger divisor leaves x as it is.
    if (divisor >= mask::maxSequenceLength)
      return x;
    if (llvm::isPowerOf2_64(divisor))
      return arith::AndIOp::create(b, loc, x, integer(divisor - 1));
    Value quotient = floorDiv(x, divisor);
    return sub(x, arith::MulIOp::create(b, loc, quotient, integer(divisor)));
  }
  /// x mod divisor == y mod divisor. Two remainders rather than that of a
  /// difference: each is the same for a whole row or column of a tile.
  Value congruent(Value x, Value y, int64_t divisor) {
    if (divisor == 1)
      return constant(true);
    // Positions differ by less than 2 * maxSequenceLength.
    if (divisor >= 2 * mask::maxSequenceLength)
      return eq(x, y);
    if (divisor < mask::maxSequenceLength)
      return eq(floorMod(x, divisor), floorMod(y, divisor));
    Value wide = arith::ConstantOp::create(
        b, loc, b.getI32IntegerAttr(static_cast<int32_t>(divisor)));
    return eq(arith::RemSIOp::create(b, loc, sub(x, y), wide), integer(0));
  }

private:
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  static bool isConstant(Value x, bool value) {
    return value ? matchPattern(x, m_One()) : matchPattern(x, m_Zero());
  }

  OpBuilder &b;
  Location loc;
};

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_PREDICATEBUILDER_H
