//===- OnlineSoftmax.cpp - A step's arithmetic, on every target -----------===//
//
// The order of operations of a step. What a target does in its own way
// (exponential, products, sums) it says in what derives from TileOps:
// FloatTiles.cpp for CPUs, lib/GPU/Step for tensor cores.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Transforms/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <array>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

SoftmaxState TileOps::initialState(int64_t valueSize) {
  return {filled(rowType(), kMinusInfinity), filled(rowType(), 0.0),
          filled(tileType(valueSize), 0.0)};
}

SoftmaxState TileOps::initialState(SoftmaxState place) {
  return {filled(place.max, kMinusInfinity), filled(place.sum, 0.0),
          filled(place.accumulator, 0.0)};
}

Value TileOps::scores(Value keyTile, Value queryTile) {
  AffineExpr d = b.getAffineDimExpr(2);
  AffineMap keyMap = AffineMap::get(3, 0, {otherDim(), d}, b.getContext());
  AffineMap queryMap = layout.map(3, queryDim(), d);
  return contract(keyTile, keyMap, queryTile, queryMap,
                  filled(tileType(tile.keys), 0.0));
}

Value TileOps::valueProduct(Value values, Value weights, Value init) {
  AffineExpr k = b.getAffineDimExpr(2);
  AffineMap valueMap = AffineMap::get(3, 0, {k, otherDim()}, b.getContext());
  AffineMap weightMap = layout.map(3, queryDim(), k);
  return contract(values, valueMap, weights, weightMap, init);
}

Value TileOps::revised(Value scores, ScoreFn newScore, AllowedFn allowed) {
  return elementwise(
      {}, scores, [&](OpBuilder &nested, ValueRange args) -> Value {
        std::array<Value, 2> index = {linalg::IndexOp::create(nested, loc, 0),
                                      linalg::IndexOp::create(nested, loc, 1)};
        Value k = index[layout.otherDim()], q = index[layout.queryDim()];
        Value score = args[0];
        if (newScore)
          score = newScore(nested, naturalScore(nested, score), k, q);
        if (!allowed)
          return score;
        Value keep = allowed(nested, k, q);
        score = allowedScore(nested, score);
        return arith::SelectOp::create(nested, loc, keep, score,
                                       scalar(nested, kMinusInfinity));
      });
}

Value TileOps::maximum(OpBuilder &nested, Value score, Value max) {
  return arith::MaxNumFOp::create(nested, loc, score, max);
}

Value TileOps::rescaledSum(Value alpha, Value x, Value y) {
  return elementwise(
      {alpha, y}, x, [&](OpBuilder &nested, ValueRange args) -> Value {
        return math::FmaOp::create(nested, loc, args[0], args[2], args[1]);
      });
}

SoftmaxState TileOps::update(SoftmaxState state, Value scores,
                             const ValueTile &values, ScoreFn newScore,
                             AllowedFn allowed) {
  // Rows may be masked altogether so far.
  bool guard = bool(allowed);
  if (newScore || allowed)
    scores = revised(scores, newScore, allowed);
  auto largerOf = [&](OpBuilder &nested, ValueRange args) {
    return maximum(nested, args[0], args[1]);
  };
  Value tileMax = reduceOverKeys(
      scores, filled(rowType(), guard ? kMinusInfinity : kLowest), largerOf);
  // alpha = exp((m - m') unit), while m is still there
  Value alpha = elementwise({tileMax, state.max}, empty(rowType()),
                            [&](OpBuilder &nested, ValueRange args) {
                              Value next = maximum(nested, args[0], args[1]);
                              if (guard)
                                next = atLeastLowest(nested, next);
                              return rescale(nested, args[1], next);
                            });
  // m' = max(m, max_k S), in the place of m
  Value max = elementwise({tileMax}, state.max, largerOf);
  Value base = max;
  if (guard)
    base = elementwise({max}, empty(rowType()),
                       [&](OpBuilder &nested, ValueRange args) {
                         return atLeastLowest(nested, args[0]);
                       });
  // P = exp((S - m') unit), in the score tile's place
  Value probabilities =
      elementwise({base}, scores, [&](OpBuilder &nested, ValueRange args) {
        return probability(nested, args[1], args[0]);
      });
  // sum_k P, in whatever order is most accurate
  Value tileSum = reduceOverKeys(
      probabilities, filled(rowType(), 0.0),
      [&](OpBuilder &nested, ValueRange args) -> Value {
        return arith::AddFOp::create(nested, loc, args[1], args[0],
                                     arith::FastMathFlags::reassoc);
      });
  Terms terms{alpha, weighed(probabilities, state), values, allowed};
  return {max, rescaledSum(alpha, state.sum, tileSum),
          accumulated(state.accumulator, terms), state.factor, state.isAgain};
}

Value TileOps::logSumExp(const SoftmaxState &state) {
  return elementwise({state.max, state.sum}, empty(rowType()),
                     [&](OpBuilder &nested, ValueRange args) -> Value {
                       Value lse = rowLogSumExp(nested, args[0], args[1]);
                       return nanIfAllMinusInfinity(nested, args[0], lse);
                     });
}
