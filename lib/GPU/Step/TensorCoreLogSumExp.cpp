//===- TensorCoreLogSumExp.cpp - The natural log-sum-exp of a row ---------===//

#include "TensorCoreTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;
using namespace mlir::sparse_attn::transforms;

/// Coefficients c0 .. c7 of ln(1 + r) = r - r^2 / 2 + r^3 (c0 + c1 r + ...) for
/// 1 + r from 1/sqrt(2) to sqrt(2), each an f32, fitted for the least maximal
/// error: 2^-29.
constexpr float kLog[] = {0.33333328f, -0.25001061f, 0.20001616f, -0.16616522f,
                          0.1419001f,  -0.132079f,   0.12854901f, -0.07631149f};

/// ln 2 as two numbers, the first of 15 bits: times an exponent it is exact.
constexpr double kLn2High = 0x1.62e4p-1;

namespace {
/// Arithmetic on f32 and i32 scalars.
struct ScalarMath {
  OpBuilder &b;
  Location loc;

  Value f32(double value) const {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(value)));
  }
  Value i32(int32_t value) const {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  Value fma(Value x, Value y, Value z) const {
    return math::FmaOp::create(b, loc, x, y, z);
  }
  Value add(Value x, Value y) const {
    return arith::AddFOp::create(b, loc, x, y);
  }
  Value sub(Value x, Value y) const {
    return arith::SubFOp::create(b, loc, x, y);
  }
  Value mul(Value x, Value y) const {
    return arith::MulFOp::create(b, loc, x, y);
  }
  Value negate(Value x) const { return arith::NegFOp::create(b, loc, x); }
};

/// x = 2^exponent (1 + rest), with 1 + rest from 1/sqrt(2) to sqrt(2).
struct Parts {
  Value exponent, rest;

  Parts(const ScalarMath &m, Value x) {
    constexpr int32_t root = 0x3f3504f3; // of 1/2
    OpBuilder &b = m.b;
    Value bits = arith::BitcastOp::create(b, m.loc, b.getI32Type(), x);
    Value above = arith::SubIOp::create(b, m.loc, bits, m.i32(root));
    Value power = arith::ShRSIOp::create(b, m.loc, above, m.i32(23));
    Value shift = arith::ShLIOp::create(b, m.loc, power, m.i32(23));
    Value reduced = arith::SubIOp::create(b, m.loc, bits, shift);
    Value fraction =
        arith::BitcastOp::create(b, m.loc, b.getF32Type(), reduced);
    exponent = arith::SIToFPOp::create(b, m.loc, b.getF32Type(), power);
    rest = m.sub(fraction, m.f32(1.0));
  }
};
} // namespace

static Value logOnePlus(const ScalarMath &m, Value r) {
  Value p = m.f32(kLog[7]);
  for (int k = 6; k >= 0; --k)
    p = m.fma(p, r, m.f32(kLog[k]));
  Value square = m.mul(r, r);
  return m.fma(m.mul(square, r), p, m.fma(square, m.f32(-0.5), r));
}

Value TensorCoreTiles::lostInBaseTwo(OpBuilder &nested, Value max) {
  ScalarMath m{nested, loc};
  // (m c - rounded) ln 2; a large m c has not been rounded.
  Value factor = m.f32(unit * llvm::numbers::log2e);
  Value rounded = inBaseTwo(nested, max);
  Value lost = m.fma(max, factor, m.negate(rounded));
  Value small = arith::SelectOp::create(nested, loc, isLarge(nested, rounded),
                                        m.f32(0.0), lost);
  return m.mul(small, m.f32(llvm::numbers::ln2));
}

/// With l = 2^e (1 + r):
///
///   m unit + ln l = (product + high) + (low of product + e low + ln(1 + r))
///
/// of which the first sum is taken with its rounding error, and the second is
/// small, so that only the last addition rounds.
Value TensorCoreTiles::preciseLogSumExp(OpBuilder &nested, Value max,
                                        Value sum) {
  ScalarMath m{nested, loc};
  Parts parts(m, sum);
  Value low = logOnePlus(m, parts.rest);
  low = m.fma(parts.exponent, m.f32(llvm::numbers::ln2 - kLn2High), low);
  if (fusesScale())
    low = m.sub(low, lostInBaseTwo(nested, max));
  Value product = m.mul(max, m.f32(unit));
  Value lowOfProduct = m.fma(max, m.f32(unit), m.negate(product));
  Value high = m.mul(parts.exponent, m.f32(kLn2High));
  // total + error = product + high, exactly (Knuth)
  Value total = m.add(product, high);
  Value ofHigh = m.sub(total, product);
  Value error =
      m.add(m.sub(product, m.sub(total, ofHigh)), m.sub(high, ofHigh));
  Value precise = m.add(total, m.add(m.add(error, lowOfProduct), low));
  // An infinite product has no rounding error to speak of.
  Value none = m.sub(product, product);
  Value isNumber =
      arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::ORD, none, none);
  return arith::SelectOp::create(nested, loc, isNumber, precise, total);
}

/// Without a live key m = -inf and l = 0; otherwise l is NaN or > 0.
Value TensorCoreTiles::rowLogSumExp(OpBuilder &nested, Value max, Value sum) {
  ScalarMath m{nested, loc};
  Value isPositive = arith::CmpFOp::create(
      nested, loc, arith::CmpFPredicate::OGT, sum, m.f32(0.0));
  return arith::SelectOp::create(nested, loc, isPositive,
                                 preciseLogSumExp(nested, max, sum),
                                 m.add(max, sum));
}
