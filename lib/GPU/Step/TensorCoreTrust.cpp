//===- TensorCoreTrust.cpp - What steps on tensor cores trust -------------===//
//
// See the head of TensorCoreTiles.h.
//
//===----------------------------------------------------------------------===//

#include "TensorCoreTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;
using namespace mlir::sparse_attn::transforms;

/// A f32 number of 2^-110 or more is the sum of its three parts of bf16's
/// precision; a smaller one loses its last bits, all below 2^-133.
constexpr double kLeastLarge = 0x1p-100;

Value TensorCoreTiles::holdsForAll(Value source, BodyFn predicate) {
  int64_t rank = cast<RankedTensorType>(source.getType()).getRank();
  auto type = RankedTensorType::get({}, b.getI1Type());
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  Value init = linalg::FillOp::create(b, loc, yes, empty(type)).getResult(0);
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(rank),
                                 AffineMap::get(rank, 0, b.getContext())};
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::reduction);
  Value all = linalg::GenericOp::create(
                  b, loc, type, source, init, maps, iterators,
                  [&](OpBuilder &nested, Location, ValueRange args) {
                    Value holds = predicate(nested, args);
                    Value both =
                        arith::AndIOp::create(nested, loc, holds, args[1]);
                    linalg::YieldOp::create(nested, loc, both);
                  })
                  .getResult(0);
  return tensor::ExtractOp::create(b, loc, all, ValueRange{});
}

Value TensorCoreTiles::isTrusted(const SoftmaxState &state, Value rows,
                                 Type type) {
  Value trusted = isTrustedOfRows(state, rows);
  if (!type.isF32())
    return trusted;
  return arith::AndIOp::create(b, loc, trusted, areLarge(state, rows));
}

/// A row of which m is neither -inf nor `lowest`, nor m c large where it is
/// rounded, and all of l and A are numbers; or one that does not exist.
Value TensorCoreTiles::isTrustedOfRows(const SoftmaxState &state, Value rows) {
  auto type = rowType().clone(b.getI1Type());
  auto isTrustedRow = [&](OpBuilder &nested, ValueRange args) -> Value {
    Value max = args[0];
    Value hasScore = arith::CmpFOp::create(
        nested, loc, arith::CmpFPredicate::OGT, max, scalar(nested, kLowest));
    Value size = arith::MaximumFOp::create(nested, loc, args[2],
                                           magnitude(nested, args[1]));
    Value trusted =
        arith::AndIOp::create(nested, loc, hasScore, isNumber(nested, size));
    if (fusesScale()) {
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
  Value trusted =
      elementwise({state.max, state.sum, largestMagnitude(state.accumulator)},
                  empty(cast<RankedTensorType>(type)), isTrustedRow);
  return holdsForAll(trusted,
                     [](OpBuilder &, ValueRange args) { return args[0]; });
}

Value TensorCoreTiles::areLarge(const SoftmaxState &state, Value rows) {
  // The smallest magnitude of each row above 0.
  double infinity = -kMinusInfinity;
  Value smallest = reduceOverKeys(
      state.accumulator, filled(rowType(), infinity),
      [&](OpBuilder &nested, ValueRange args) -> Value {
        Value size = magnitude(nested, args[0]);
        Value isPositive = arith::CmpFOp::create(
            nested, loc, arith::CmpFPredicate::OGT, size, scalar(nested, 0.0));
        size = arith::SelectOp::create(nested, loc, isPositive, size,
                                       scalar(nested, infinity));
        return arith::MinNumFOp::create(nested, loc, size, args[1]);
      });
  auto isLargeRow = [&](OpBuilder &nested, ValueRange args) -> Value {
    // |A| < 2^-100 l; no NaN is small.
    Value limit = arith::MulFOp::create(nested, loc, args[1],
                                        scalar(nested, kLeastLarge));
    Value isSmall = arith::CmpFOp::create(
        nested, loc, arith::CmpFPredicate::OLT, args[0], limit);
    Value row = linalg::IndexOp::create(nested, loc, 0);
    Value exists = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::slt,
                                         row, rows);
    Value counts = arith::AndIOp::create(nested, loc, isSmall, exists);
    Value yes =
        arith::ConstantOp::create(nested, loc, nested.getBoolAttr(true));
    return arith::XOrIOp::create(nested, loc, counts, yes);
  };
  auto type = cast<RankedTensorType>(rowType().clone(b.getI1Type()));
  Value large = elementwise({smallest, state.sum}, empty(type), isLargeRow);
  return holdsForAll(large,
                     [](OpBuilder &, ValueRange args) { return args[0]; });
}

Value TensorCoreTiles::haveParts(Value tileValue) {
  return holdsForAll(tileValue, [&](OpBuilder &nested, ValueRange args) {
    Value size = magnitude(nested, args[0]);
    Value isZero = arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OEQ,
                                         size, scalar(nested, 0.0));
    Value isLarge =
        arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OGE, size,
                              scalar(nested, kLeastLarge));
    Value isPart =
        arith::AndIOp::create(nested, loc, isLarge, isNumber(nested, size));
    return arith::OrIOp::create(nested, loc, isZero, isPart).getResult();
  });
}

/// Operands are looked at one by one, as threads share no sum.
Value TensorCoreTiles::isFinite(Value tileValue) {
  return holdsForAll(tileValue, [&](OpBuilder &nested, ValueRange args) {
    Value x = toF32(nested, loc, args[0]);
    return isNumber(nested, magnitude(nested, x));
  });
}
