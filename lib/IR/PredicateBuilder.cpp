//===- PredicateBuilder.cpp - i32 arithmetic for mask predicates ----------===//

#include "PredicateBuilder.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

Value PredicateBuilder::integer(int64_t value) {
  value = std::clamp(value, -maxSequenceLength, maxSequenceLength);
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}

//===----------------------------------------------------------------------===//
// Division
//===----------------------------------------------------------------------===//

Value PredicateBuilder::floorDiv(Value x, int64_t divisor) {
  if (divisor == 1)
    return x;
  // A larger divisor has the same quotients, 0 and -1.
  divisor = std::min(divisor, maxSequenceLength);
  if (llvm::isPowerOf2_64(divisor))
    return make<arith::ShRSIOp>(x, integer(llvm::Log2_64(divisor)));
  return make<arith::FloorDivSIOp>(x, integer(divisor));
}

Value PredicateBuilder::floorTo(Value x, int64_t divisor) {
  if (divisor == 1)
    return x;
  if (llvm::isPowerOf2_64(divisor) && divisor <= maxSequenceLength)
    return make<arith::AndIOp>(x, integer(-divisor));
  return make<arith::MulIOp>(floorDiv(x, divisor), integer(divisor));
}

Value PredicateBuilder::floorMod(Value x, int64_t divisor) {
  if (llvm::isPowerOf2_64(divisor) && divisor <= maxSequenceLength)
    return make<arith::AndIOp>(x, integer(divisor - 1));
  if (divisor < maxSequenceLength)
    return make<arith::SubIOp>(x, floorTo(x, divisor));
  // x for x >= 0, else x + divisor, which is positive and less than 2^31: the
  // sum is right modulo 2^32 even where the divisor is 2^31 itself.
  Value wrapped = arith::ConstantOp::create(
      b, loc, b.getI32IntegerAttr(static_cast<int32_t>(divisor)));
  return select(compare(Predicate::slt, x, integer(0)),
                make<arith::AddIOp>(x, wrapped), x);
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

Value PredicateBuilder::bound(const Bound &bound) {
  bool isConstant = bound.block == 0 && bound.perKey == 0;
  if (isConstant)
    return integer(bound.offset);
  if (!bound.isSmall())
    return boundWide(bound);
  Value start = bound.block == 0 ? at.n : floorTo(at.i, bound.block);
  if (bound.offset == 0)
    return start;
  return make<arith::AddIOp>(start, integer(bound.offset));
}

Value PredicateBuilder::boundWide(const Bound &bound) {
  Value value = wide(bound.offset);
  if (bound.perKey != 0)
    value = make<arith::AddIOp>(
        value, make<arith::MulIOp>(widen(at.n), wide(bound.perKey)));
  if (bound.block != 0) {
    Value i = widen(at.i);
    if (bound.block != 1)
      i = make<arith::MulIOp>(make<arith::FloorDivSIOp>(i, wide(bound.block)),
                              wide(bound.block));
    value = make<arith::AddIOp>(value, i);
  }
  using Limits = std::numeric_limits<int32_t>;
  value = make<arith::MaxSIOp>(value, wide(Limits::min()));
  value = make<arith::MinSIOp>(value, wide(Limits::max()));
  return b.createOrFold<arith::TruncIOp>(loc, b.getI32Type(), value);
}

//===----------------------------------------------------------------------===//
// Residues
//===----------------------------------------------------------------------===//

Value PredicateBuilder::isWithin(Value x, Value begin, int64_t width) {
  if (width == 1)
    return compare(Predicate::eq, x, begin);
  Type type = x.getType();
  Value limit =
      arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, width));
  if (!matchPattern(begin, m_Zero()))
    x = make<arith::SubIOp>(x, begin);
  return compare(Predicate::ult, x, limit);
}

Value PredicateBuilder::holds(const Residue &residue) {
  int64_t modulus = residue.modulus, width = residue.end - residue.begin;
  if (residue.subject != Residue::Subject::KeyMinusQuery) {
    bool ofKey = residue.subject == Residue::Subject::Key;
    return isWithin(floorMod(ofKey ? at.j : at.i, modulus),
                    integer(residue.begin), width);
  }
  if (modulus >= maxSequenceLength) {
    // |j - i| < 2^31.
    Value difference = make<arith::SubIOp>(widen(at.j), widen(at.i));
    Value rest = make<arith::RemSIOp>(difference, wide(modulus));
    Value isNegative = compare(Predicate::slt, rest, wide(0));
    rest = select(isNegative, make<arith::AddIOp>(rest, wide(modulus)), rest);
    return isWithin(rest, wide(residue.begin), width);
  }
  // (j - i) mod m = (j mod m - (i + begin) mod m) mod m + begin: a remainder
  // each for the column and for the row, and none for the pair.
  Value key = floorMod(at.j, modulus);
  Value first = floorMod(
      residue.begin == 0 ? at.i
                         : make<arith::AddIOp>(at.i, integer(residue.begin)),
      modulus);
  if (width == 1)
    return compare(Predicate::eq, key, first);
  Value beyond = make<arith::SubIOp>(key, first);
  Value wrapped = make<arith::AddIOp>(beyond, integer(modulus));
  return disj(isWithin(beyond, integer(0), width),
              isWithin(wrapped, integer(0), width));
}
