//===- TileMeans.cpp - What a state comes to ------------------------------===//

#include "SparseAttn/Transforms/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;

bool transforms::isWhole(Value rows, int64_t size) {
  return getConstantIntValue(rows) == size;
}

Value transforms::firstRows(OpBuilder &b, Location loc, Value tileValue,
                            unsigned dim, Value rows) {
  auto type = cast<RankedTensorType>(tileValue.getType());
  SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = {b.getIndexAttr(type.getDimSize(0)),
                                     b.getIndexAttr(type.getDimSize(1))};
  sizes[dim] = getAsOpFoldResult(rows);
  return b.createOrFold<tensor::ExtractSliceOp>(loc, tileValue, offsets, sizes,
                                                strides);
}

Value TileOps::nanIfAllMinusInfinity(OpBuilder &nested, Value max,
                                     Value value) {
  Value isLowest = arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OEQ,
                                         max, scalar(nested, kLowest));
  Value nan = scalar(nested, std::numeric_limits<double>::quiet_NaN());
  return arith::SelectOp::create(nested, loc, isLowest, nan, value);
}

/// x == special ? infinity : otherwise
Value TileOps::infiniteIf(OpBuilder &nested, Value x, double special,
                          Value otherwise) {
  Value is = arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OEQ, x,
                                   scalar(nested, special));
  return arith::SelectOp::create(nested, loc, is,
                                 scalar(nested, -kMinusInfinity), otherwise);
}

Value TileOps::divisor(const SoftmaxState &state) {
  return factored(
      {state.max, state.sum}, state,
      [&](OpBuilder &nested, ValueRange args, FactorFn inA) -> Value {
        Value weights =
            infiniteIf(nested, args[0], kMinusInfinity, inA(args[1]));
        return nanIfAllMinusInfinity(nested, args[0], weights);
      });
}

Value TileOps::means(const SoftmaxState &state) {
  Value weights =
      factored({state.sum}, state,
               [&](OpBuilder &nested, ValueRange args, FactorFn inA) -> Value {
                 Value all = inA(args[0]);
                 return infiniteIf(nested, all, /*special=*/0.0, all);
               });
  return elementwise(
      {weights}, state.accumulator, [&](OpBuilder &nested, ValueRange args) {
        return quotient(nested, args[1], args[0], nested.getF32Type());
      });
}

/// x < infinity, false for NaN.
Value TileOps::isNumber(OpBuilder &nested, Value size) {
  return arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OLT, size,
                               scalar(nested, -kMinusInfinity));
}

Value TileOps::quotient(OpBuilder &nested, Value x, Value divisor,
                        FloatType type) {
  Value result = divided(nested, x, divisor);
  double largest =
      APFloat::getLargest(type.getFloatSemantics()).convertToDouble();
  auto bounded = [&](Value value, arith::CmpFPredicate exceeds, double bound) {
    Value limit = scalar(nested, bound);
    Value isBeyond = arith::CmpFOp::create(nested, loc, exceeds, value, limit);
    return arith::SelectOp::create(nested, loc, isBeyond, limit, value)
        .getResult();
  };
  Value within = bounded(result, arith::CmpFPredicate::OGT, largest);
  within = bounded(within, arith::CmpFPredicate::OLT, -largest);
  Value isTerm = isNumber(nested, magnitude(nested, x));
  return arith::SelectOp::create(nested, loc, isTerm, within, result);
}

Value TileOps::quotients(Value accumulator, Value divisors, Value destination) {
  SmallVector<AffineMap> maps = {layout.fromRows(b.getContext()),
                                 AffineMap::get(2, 0, b.getAffineDimExpr(0)),
                                 b.getMultiDimIdentityMap(2)};
  SmallVector<utils::IteratorType> iterators(2, parallel);
  return linalg::GenericOp::create(
             b, loc, destination.getType(), ValueRange{accumulator, divisors},
             destination, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               auto type = cast<FloatType>(args[2].getType());
               Value o = quotient(nested, args[0], args[1], type);
               if (!type.isF32())
                 o = arith::TruncFOp::create(nested, loc, type, o);
               linalg::YieldOp::create(nested, loc, o);
             })
      .getResult(0);
}

/// destination[x, y] = source[y, x]
static Value transposed(OpBuilder &b, Location loc, Value source,
                        Value destination) {
  SmallVector<AffineMap> maps = {
      AffineMap::getPermutationMap(ArrayRef<unsigned>{1, 0}, b.getContext()),
      b.getMultiDimIdentityMap(2)};
  SmallVector<utils::IteratorType> iterators(2, parallel);
  return linalg::GenericOp::create(
             b, loc, destination.getType(), source, destination, maps,
             iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               linalg::YieldOp::create(nested, loc, args[0]);
             })
      .getResult(0);
}

Value TileOps::toRows(Value tileValue, Value destination) {
  return layout.areQueriesInner() ? transposed(b, loc, tileValue, destination)
                                  : tileValue;
}

Value TileOps::fromRows(Value rows) {
  if (!layout.areQueriesInner())
    return rows;
  int64_t size = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  return transposed(b, loc, rows, empty(tileType(size)));
}
