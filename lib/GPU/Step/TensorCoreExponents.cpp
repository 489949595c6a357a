//===- TensorCoreExponents.cpp - Probabilities in base 2 ------------------===//

#include "TensorCoreTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;
using namespace mlir::sparse_attn::transforms;

/// m c below this is rounded by 2^-5 at most, so that the largest probability
/// of a row stays between 1 / 1.03 and 1.03.
constexpr double kLargestRounded = 1 << 20;

Value TensorCoreTiles::exponential(OpBuilder &nested, Value x, Value max) {
  auto approximate = arith::FastMathFlags::afn;
  Value difference = arith::SubFOp::create(nested, loc, x, max);
  if (unit == llvm::numbers::ln2)
    return math::Exp2Op::create(nested, loc, difference, approximate);
  Value factor = scalar(nested, unit * llvm::numbers::log2e);
  Value exponent = arith::MulFOp::create(nested, loc, difference, factor);
  return math::Exp2Op::create(nested, loc, exponent, approximate);
}

/// m c, with c the unit in base 2, and finite for finite m.
Value TensorCoreTiles::inBaseTwo(OpBuilder &nested, Value max) {
  double factor = unit * llvm::numbers::log2e;
  Value product =
      arith::MulFOp::create(nested, loc, max, scalar(nested, factor));
  return factor > 1.0 ? atLeastLowest(nested, product) : product;
}

Value TensorCoreTiles::isLarge(OpBuilder &nested, Value maxInBaseTwo) {
  Value size = magnitude(nested, maxInBaseTwo);
  return arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OGT, size,
                               scalar(nested, kLargestRounded));
}

/// A large m is taken off scores before they are multiplied by c, which is
/// exact next to m; another one after that, as trusting steps do. Both give the
/// same where m c is not rounded, so that parts of a row of both kinds merge.
TensorCoreTiles::Anchor TensorCoreTiles::anchor(OpBuilder &nested, Value max) {
  Value product = inBaseTwo(nested, max), zero = scalar(nested, 0.0);
  Value large = isLarge(nested, product);
  Value base = arith::SelectOp::create(nested, loc, large, max, zero);
  Value shift = arith::SelectOp::create(nested, loc, large, zero, product);
  return {base, shift};
}

Value TensorCoreTiles::probability(OpBuilder &nested, Value score, Value max) {
  if (!fusesScale())
    return exponential(nested, score, max);
  Value factor = scalar(nested, unit * llvm::numbers::log2e);
  Value shift;
  if (step.exact) {
    // exp2((S - base) c - shift)
    Anchor now = anchor(nested, max);
    score = arith::SubFOp::create(nested, loc, score, now.base);
    shift = now.shift;
  } else {
    // exp2(S c - m c), one fused operation a score
    shift = inBaseTwo(nested, max);
  }
  shift = arith::NegFOp::create(nested, loc, shift);
  Value exponent = math::FmaOp::create(nested, loc, score, factor, shift);
  return math::Exp2Op::create(nested, loc, exponent, arith::FastMathFlags::afn);
}

Value TensorCoreTiles::rescale(OpBuilder &nested, Value before, Value max) {
  if (!fusesScale())
    return exponential(nested, before, max);
  // What was added with the rounded m c must be taken off with the same.
  Value factor = scalar(nested, unit * llvm::numbers::log2e);
  Value exponent;
  if (step.exact) {
    Anchor old = anchor(nested, before), now = anchor(nested, max);
    Value shift = arith::SubFOp::create(nested, loc, old.shift, now.shift);
    Value base = arith::SubFOp::create(nested, loc, old.base, now.base);
    exponent = math::FmaOp::create(nested, loc, base, factor, shift);
  } else {
    Value x = arith::MulFOp::create(nested, loc, before, factor);
    exponent = arith::SubFOp::create(nested, loc, x, inBaseTwo(nested, max));
  }
  return math::Exp2Op::create(nested, loc, exponent, arith::FastMathFlags::afn);
}
