//===- TileTrust.cpp - Whether careless steps were enough -----------------===//
//
// See the head of TileOps.h.
//
//===----------------------------------------------------------------------===//

#include "TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// m c below this is rounded by 2^-5 at most, so that the largest probability
/// of a row stays between 1 / 1.03 and 1.03.
constexpr double kLargestRounded = 1 << 20;

/// |x|, in operations that every target has; NaN stays.
static Value magnitude(OpBuilder &b, Location loc, Value x) {
  Value negated = arith::NegFOp::create(b, loc, x);
  return arith::MaximumFOp::create(b, loc, x, negated);
}

Value TileOps::isLarge(OpBuilder &nested, Value maxInBaseTwo) {
  Value size = magnitude(nested, loc, maxInBaseTwo);
  return arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OGT, size,
                               scalar(nested, kLargestRounded));
}

/// A large m is taken off scores before they are multiplied by c, which is
/// exact next to m; another one after that, as careless steps do. Both give the
/// same where m c is not rounded, so that parts of a row of both kinds merge.
TileOps::Anchor TileOps::anchor(OpBuilder &nested, Value max) {
  Value product = inBaseTwo(nested, max), zero = scalar(nested, 0.0);
  Value large = isLarge(nested, product);
  Value base = arith::SelectOp::create(nested, loc, large, max, zero);
  Value shift = arith::SelectOp::create(nested, loc, large, zero, product);
  return {base, shift};
}

Value TileOps::largestMagnitude(Value tileValue) {
  // The accumulator runs over its columns as scores do over keys.
  return reduceOverKeys(tileValue, filled(rowType(), 0.0),
                        [&](OpBuilder &nested, ValueRange args) -> Value {
                          Value size = magnitude(nested, loc, args[0]);
                          return arith::MaximumFOp::create(nested, loc, size,
                                                           args[1]);
                        });
}

Value TileOps::holdsForAll(Value predicates) {
  auto type = RankedTensorType::get({}, b.getI1Type());
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  Value init = linalg::FillOp::create(b, loc, yes, empty(type)).getResult(0);
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(1),
                                 AffineMap::get(1, 0, b.getContext())};
  SmallVector<utils::IteratorType> iterators = {utils::IteratorType::reduction};
  Value all = linalg::GenericOp::create(
                  b, loc, type, predicates, init, maps, iterators,
                  [&](OpBuilder &nested, Location, ValueRange args) {
                    Value both =
                        arith::AndIOp::create(nested, loc, args[0], args[1]);
                    linalg::YieldOp::create(nested, loc, both);
                  })
                  .getResult(0);
  return tensor::ExtractOp::create(b, loc, all, ValueRange{});
}

/// x < infinity, false for NaN.
static Value isNumber(OpBuilder &b, Location loc, Value size) {
  Value infinity = arith::ConstantOp::create(
      b, loc, b.getF32FloatAttr(std::numeric_limits<float>::infinity()));
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, size,
                               infinity);
}

Value TileOps::isFiniteState(const SoftmaxState &state) {
  auto type = rowType().clone(b.getI1Type());
  return holdsForAll(elementwise({largestMagnitude(state.accumulator)},
                                 empty(cast<RankedTensorType>(type)),
                                 [&](OpBuilder &nested, ValueRange args) {
                                   return isNumber(nested, loc, args[0]);
                                 }));
}

/// A row of which m is neither -inf nor `lowest`, nor m c large where it is
/// rounded, and all of l and A are numbers; or one that does not exist.
Value TileOps::isTrusted(const SoftmaxState &state, Value rows) {
  auto type = rowType().clone(b.getI1Type());
  auto isTrustedRow = [&](OpBuilder &nested, ValueRange args) -> Value {
    Value max = args[0];
    Value hasScore = arith::CmpFOp::create(
        nested, loc, arith::CmpFPredicate::OGT, max, scalar(nested, kLowest));
    Value size = arith::MaximumFOp::create(nested, loc, args[2],
                                           magnitude(nested, loc, args[1]));
    Value trusted = arith::AndIOp::create(nested, loc, hasScore,
                                          isNumber(nested, loc, size));
    if (unit != llvm::numbers::ln2) {
      Value yes =
          arith::ConstantOp::create(nested, loc, nested.getBoolAttr(true));
      Value isSmall = arith::XOrIOp::create(
          nested, loc, isLarge(nested, inBaseTwo(nested, max)), yes);
      trusted = arith::AndIOp::create(nested, loc, trusted, isSmall);
    }
    Value row = linalg::IndexOp::create(nested, loc, 0);
    Value isMissing = arith::CmpIOp::create(
        nested, loc, arith::CmpIPredicate::sge, row, rows);
    return arith::OrIOp::create(nested, loc, trusted, isMissing);
  };
  return holdsForAll(
      elementwise({state.max, state.sum, largestMagnitude(state.accumulator)},
                  empty(cast<RankedTensorType>(type)), isTrustedRow));
}
