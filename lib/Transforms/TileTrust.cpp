//===- TileTrust.cpp - Whether trusting steps were enough -----------------===//
//
// See the head of TileOps.h.
//
//===----------------------------------------------------------------------===//

#include "TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

/// m c below this is rounded by 2^-5 at most, so that the largest probability
/// of a row stays between 1 / 1.03 and 1.03.
constexpr double kLargestRounded = 1 << 20;

/// A f32 number of 2^-110 or more is the sum of its three parts of bf16's
/// precision; a smaller one loses its last bits, all below 2^-133.
constexpr double kLeastLarge = 0x1p-100;

/// |x|, on GPUs in operations that kernels have; NaN stays.
Value TileOps::magnitude(OpBuilder &nested, Value x) {
  if (!keepTypes)
    return math::AbsFOp::create(nested, loc, x);
  Value negated = arith::NegFOp::create(nested, loc, x);
  return arith::MaximumFOp::create(nested, loc, x, negated);
}

Value TileOps::isLarge(OpBuilder &nested, Value maxInBaseTwo) {
  Value size = magnitude(nested, maxInBaseTwo);
  return arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OGT, size,
                               scalar(nested, kLargestRounded));
}

/// A large m is taken off scores before they are multiplied by c, which is
/// exact next to m; another one after that, as trusting steps do. Both give the
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
                          Value size = magnitude(nested, args[0]);
                          return arith::MaximumFOp::create(nested, loc, size,
                                                           args[1]);
                        });
}

Value TileOps::holdsForAll(Value source, BodyFn predicate) {
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

/// x < infinity, false for NaN.
Value TileOps::isNumber(OpBuilder &nested, Value size) {
  return arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OLT, size,
                               scalar(nested, -kMinusInfinity));
}

Value TileOps::isTrusted(const SoftmaxState &state, Value rows, Type type) {
  if (!keepTypes) {
    // Whatever is left after a second run is the result.
    Value finite = isFinite(state.accumulator);
    return state.isAgain
               ? arith::OrIOp::create(b, loc, finite, state.isAgain).getResult()
               : finite;
  }
  Value trusted = isTrustedOfRows(state, rows);
  if (!type.isF32())
    return trusted;
  return arith::AndIOp::create(b, loc, trusted, areLarge(state, rows));
}

/// A row of which m is neither -inf nor `lowest`, nor m c large where it is
/// rounded, and all of l and A are numbers; or one that does not exist.
Value TileOps::isTrustedOfRows(const SoftmaxState &state, Value rows) {
  auto type = rowType().clone(b.getI1Type());
  auto isTrustedRow = [&](OpBuilder &nested, ValueRange args) -> Value {
    Value max = args[0];
    Value hasScore = arith::CmpFOp::create(
        nested, loc, arith::CmpFPredicate::OGT, max, scalar(nested, kLowest));
    Value size = arith::MaximumFOp::create(nested, loc, args[2],
                                           magnitude(nested, args[1]));
    Value trusted =
        arith::AndIOp::create(nested, loc, hasScore, isNumber(nested, size));
    if (fusesScale) {
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

Value TileOps::areLarge(const SoftmaxState &state, Value rows) {
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

Value TileOps::haveParts(Value tileValue) {
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

Value TileOps::weighed(Value probabilities, Value factor) {
  double leastNormal = std::numeric_limits<float>::min();
  return elementwise(
      {factor}, probabilities,
      [&](OpBuilder &nested, ValueRange args) -> Value {
        Value product = arith::MulFOp::create(nested, loc, args[1], args[0]);
        product = arith::MaxNumFOp::create(nested, loc, product,
                                           scalar(nested, leastNormal));
        Value isPositive =
            arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OGT,
                                  args[1], scalar(nested, 0.0));
        return arith::SelectOp::create(nested, loc, isPositive, product,
                                       args[1]);
      });
}

Value TileOps::weighed(Value probabilities, const SoftmaxState &state) {
  if (!state.factor)
    return probabilities;
  if (!state.isAgain)
    return weighed(probabilities, state.factor);
  auto branch = scf::IfOp::create(b, loc, probabilities.getType(),
                                  state.isAgain, /*withElse=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, weighed(probabilities, state.factor));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, probabilities);
  return branch.getResult(0);
}

/// Sequences are shorter than 2^30, so weights below 2^-30 add up to less than
/// 1, and A to less than the largest value.
Value TileOps::safeFactor(Value accumulator, Value place) {
  return elementwise({largestMagnitude(accumulator)}, place,
                     [&](OpBuilder &nested, ValueRange args) -> Value {
                       return arith::SelectOp::create(
                           nested, loc, isNumber(nested, args[0]),
                           scalar(nested, 1.0), scalar(nested, kSafeFactor));
                     });
}
