//===- ArithOracle.h - Integer arithmetic, interpreted ----------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_IR_ARITHORACLE_H
#define SPARSEATTN_TEST_UNIT_IR_ARITHORACLE_H

#include "Mask/PieceOracle.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "gtest/gtest.h"

namespace mlir::sparse_attn::test {

inline bool compare(arith::CmpIPredicate predicate, int64_t x, int64_t y) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return x == y;
  case arith::CmpIPredicate::slt:
    return x < y;
  case arith::CmpIPredicate::sge:
    return x >= y;
  case arith::CmpIPredicate::ult:
    // Sign extension keeps the order of numbers without a sign.
    return uint64_t(x) < uint64_t(y);
  default:
    ADD_FAILURE() << "another comparison";
    return false;
  }
}

/// The result of an operation of arith on integers, sign-extended, where
/// `values` has those of its operands. Another operation is a failure.
inline int64_t evaluateArith(Operation &op,
                             const DenseMap<Value, int64_t> &values) {
  auto in = [&](unsigned k) { return values.at(op.getOperand(k)); };
  auto narrow = [&](int64_t value) -> int64_t {
    unsigned width = op.getResult(0).getType().getIntOrFloatBitWidth();
    return width == 1    ? value & 1
           : width == 32 ? int64_t(int32_t(value))
                         : value;
  };
  return llvm::TypeSwitch<Operation *, int64_t>(&op)
      .Case([&](arith::ConstantOp o) {
        return narrow(
            cast<IntegerAttr>(o.getValue()).getValue().getSExtValue());
      })
      .Case([&](arith::AddIOp) { return narrow(in(0) + in(1)); })
      .Case([&](arith::SubIOp) { return narrow(in(0) - in(1)); })
      .Case([&](arith::MulIOp) { return narrow(in(0) * in(1)); })
      .Case([&](arith::AndIOp) { return in(0) & in(1); })
      .Case([&](arith::OrIOp) { return in(0) | in(1); })
      .Case([&](arith::XOrIOp) { return in(0) ^ in(1); })
      .Case([&](arith::ShRSIOp) { return in(0) >> in(1); })
      .Case([&](arith::RemSIOp) { return in(0) % in(1); })
      .Case([&](arith::FloorDivSIOp) {
        return (in(0) - plainMod(in(0), in(1))) / in(1);
      })
      .Case([&](arith::MinSIOp) { return std::min(in(0), in(1)); })
      .Case([&](arith::MaxSIOp) { return std::max(in(0), in(1)); })
      .Case([&](arith::SelectOp) { return in(0) ? in(1) : in(2); })
      .Case([&](arith::ExtSIOp) { return in(0); })
      .Case([&](arith::TruncIOp) { return narrow(in(0)); })
      .Case([&](arith::CmpIOp o) -> int64_t {
        return compare(o.getPredicate(), in(0), in(1));
      })
      .Default([](Operation *o) -> int64_t {
        ADD_FAILURE() << o->getName().getStringRef().str();
        return 0;
      });
}

} // namespace mlir::sparse_attn::test

#endif // SPARSEATTN_TEST_UNIT_IR_ARITHORACLE_H
