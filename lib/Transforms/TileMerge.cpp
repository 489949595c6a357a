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
