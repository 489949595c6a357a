//===- TileOps.cpp - Online softmax as linalg ops on tiles ----------------===//

#include "SparseAttn/Transforms/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <array>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;

//===----------------------------------------------------------------------===//
// Types, maps and the shapes of op everything is made of
//===----------------------------------------------------------------------===//

Value transforms::toF32(OpBuilder &b, Location loc, Value x) {
  if (x.getType().isF32())
    return x;
  return arith::ExtFOp::create(b, loc, b.getF32Type(), x);
}

RankedTensorType TileOps::tileType(int64_t size) const {
  return RankedTensorType::get(layout.order(tile.queries, size),
                               b.getF32Type());
}

RankedTensorType TileOps::rowType() const {
  return RankedTensorType::get({tile.queries}, b.getF32Type());
}

Value TileOps::scalar(OpBuilder &builder, double value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getF32FloatAttr(float(value)));
}

Value TileOps::empty(RankedTensorType type) {
  return tensor::EmptyOp::create(b, loc, type.getShape(),
                                 type.getElementType());
}

Value TileOps::filled(RankedTensorType type, double value) {
  return filled(empty(type), value);
}

Value TileOps::filled(Value place, double value) {
  return linalg::FillOp::create(b, loc, scalar(b, value), place).getResult(0);
}

Value TileOps::elementwise(ValueRange inputs, Value init, BodyFn body) {
  unsigned rank = cast<RankedTensorType>(init.getType()).getRank();
  auto mapFor = [&](Value v) {
    if (rank == 2 && cast<RankedTensorType>(v.getType()).getRank() == 1)
      return AffineMap::get(2, 0, queryDim());
    return b.getMultiDimIdentityMap(rank);
  };
  SmallVector<AffineMap> maps = llvm::map_to_vector(inputs, mapFor);
  maps.push_back(mapFor(init));
  SmallVector<utils::IteratorType> iterators(rank, parallel);
  return linalg::GenericOp::create(
             b, loc, init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               linalg::YieldOp::create(nested, loc, body(nested, args));
             })
      .getResult(0);
}

Value TileOps::reduceOverKeys(Value tileValue, Value init, BodyFn combine) {
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(2),
                                 AffineMap::get(2, 0, queryDim())};
  SmallVector<utils::IteratorType> iterators =
      layout.order(parallel, reduction);
  return linalg::GenericOp::create(
             b, loc, init.getType(), tileValue, init, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               linalg::YieldOp::create(nested, loc, combine(nested, args));
             })
      .getResult(0);
}

Value TileOps::contract(Value other, AffineMap otherMap, Value query,
                        AffineMap queryMap, Value init) {
  // The operand that runs over the rows of the result comes first.
  SmallVector<AffineMap> maps = layout.order(queryMap, otherMap);
  maps.push_back(AffineMap::get(
      3, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(1)}, b.getContext()));
  return product(layout.order(query, other), maps, init);
}

Value TileOps::branch(Value condition, Type type,
                      llvm::function_ref<Value()> then,
                      llvm::function_ref<Value()> otherwise) {
  auto branch =
      scf::IfOp::create(b, loc, type, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, then());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, otherwise());
  return branch.getResult(0);
}

//===----------------------------------------------------------------------===//
// The algorithm
//===----------------------------------------------------------------------===//

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
