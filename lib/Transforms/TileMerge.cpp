//===- TileMerge.cpp - States over disjoint keys as one -------------------===//

#include "SparseAttn/Transforms/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

SoftmaxState TileOps::mergedSums(const SoftmaxState &x, const SoftmaxState &y) {
  // m = max(mx, my);  l = sum of l. exp((m. - m) unit)
  auto weight = [&](unsigned which) {
    return elementwise({y.max, x.max}, empty(rowType()),
                       [&](OpBuilder &nested, ValueRange args) -> Value {
                         Value base = atLeastLowest(
                             nested, maximum(nested, args[0], args[1]));
                         return rescale(nested, args[which], base);
                       });
  };
  Value wx = weight(1), wy = weight(0);
  // It takes the place of mx, which is not read any more.
  Value max =
      elementwise({y.max}, x.max, [&](OpBuilder &nested, ValueRange args) {
        return maximum(nested, args[0], args[1]);
      });
  Value sum = elementwise(
      {wx, wy, y.sum}, x.sum, [&](OpBuilder &nested, ValueRange args) -> Value {
        Value other = arith::MulFOp::create(nested, loc, args[2], args[1]);
        return math::FmaOp::create(nested, loc, args[3], args[0], other);
      });
  return {max, sum, {}};
}

/// The maximum and the sum of both first, then their means by the shares in
/// that sum, so that each is rounded once.
SoftmaxState TileOps::merged(const SoftmaxState &x, const SoftmaxState &y,
                             bool hasFactor) {
  SoftmaxState all = mergedSums(x, y);
  if (hasFactor)
    all.factor = shareFactor(all.sum);
  auto type = cast<RankedTensorType>(x.accumulator.getType());
  all.accumulator = filled(type, 0.0);
  for (const SoftmaxState *part : {&x, &y})
    all.accumulator =
        addedShare(share(*part, all), means(*part), all.accumulator);
  return all;
}

/// A row without keys has the sum 0, and one of NaN the sum NaN.
SoftmaxState TileOps::resultState(Value output, Value lse, Value rows) {
  auto zeroWhere = [&](OpBuilder &nested, Value x, double special,
                       Value otherwise) -> Value {
    Value isSpecial = arith::CmpFOp::create(
        nested, loc, arith::CmpFPredicate::OEQ, x, scalar(nested, special));
    return arith::SelectOp::create(nested, loc, isSpecial, scalar(nested, 0.0),
                                   otherwise);
  };
  SoftmaxState state;
  state.max = packRow(lse, rows, kMinusInfinity);
  state.sum = elementwise(
      {state.max}, empty(rowType()), [&](OpBuilder &nested, ValueRange args) {
        Value zeroOrNaN = arith::SubFOp::create(nested, loc, args[0], args[0]);
        Value one =
            arith::AddFOp::create(nested, loc, zeroOrNaN, scalar(nested, 1.0));
        return zeroWhere(nested, args[0], kMinusInfinity, one);
      });
  // Not by m: a row that comes from memory cannot be spread over a tile there.
  state.accumulator =
      elementwise({state.sum}, packResult(output, rows),
                  [&](OpBuilder &nested, ValueRange args) {
                    return zeroWhere(nested, args[0], /*special=*/0.0, args[1]);
                  });
  return state;
}

Value TileOps::share(const SoftmaxState &part, const SoftmaxState &all) {
  // l. exp((m. - m) unit) factor
  return factored(
      {part.max, part.sum, all.max}, all,
      [&](OpBuilder &nested, ValueRange args, FactorFn inA) -> Value {
        Value weight = rescale(nested, args[0], atLeastLowest(nested, args[2]));
        return inA(arith::MulFOp::create(nested, loc, args[1], weight));
      });
}

Value TileOps::addedShare(Value share, Value mean, Value total) {
  return elementwise(
      {share, mean}, total, [&](OpBuilder &nested, ValueRange args) -> Value {
        return math::FmaOp::create(nested, loc, args[0], args[1], args[2]);
      });
}
