//===- TileOps.cpp - Online softmax as linalg ops on tiles ----------------===//

#include "TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;

//===----------------------------------------------------------------------===//
// Types, maps and the three shapes of op everything is made of
//===----------------------------------------------------------------------===//

RankedTensorType TileOps::tileType(int64_t size) const {
  if (queriesInner)
    return RankedTensorType::get({size, tile.queries}, b.getF32Type());
  return RankedTensorType::get({tile.queries, size}, b.getF32Type());
}

RankedTensorType TileOps::rowType() const {
  return RankedTensorType::get({tile.queries}, b.getF32Type());
}

AffineExpr TileOps::queryDim() const {
  return b.getAffineDimExpr(queriesInner ? 1 : 0);
}

AffineExpr TileOps::otherDim() const {
  return b.getAffineDimExpr(queriesInner ? 0 : 1);
}

AffineMap TileOps::oriented(unsigned numDims, AffineExpr query,
                            AffineExpr other) const {
  if (queriesInner)
    return AffineMap::get(numDims, 0, {other, query}, b.getContext());
  return AffineMap::get(numDims, 0, {query, other}, b.getContext());
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
  SmallVector<utils::IteratorType> iterators = {
      queriesInner ? reduction : parallel, queriesInner ? parallel : reduction};
  return linalg::GenericOp::create(
             b, loc, init.getType(), tileValue, init, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               linalg::YieldOp::create(nested, loc, combine(nested, args));
             })
      .getResult(0);
}

Value TileOps::contract(Value a, AffineMap aMap, Value bOperand, AffineMap bMap,
                        Value init) {
  // The operand that runs over the rows of the result comes first.
  if (!queriesInner) {
    std::swap(a, bOperand);
    std::swap(aMap, bMap);
  }
  SmallVector<AffineMap> maps = {
      aMap, bMap,
      AffineMap::get(3, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(1)},
                     b.getContext())};
  // Without bodies to read, the product is known for what it is: tensor cores
  // need no more, and widen the operands themselves.
  if (keepTypes)
    return linalg::ContractOp::create(b, loc, init.getType(),
                                      ValueRange{a, bOperand}, init,
                                      b.getAffineMapArrayAttr(maps))
        .getResult(0);
  SmallVector<utils::IteratorType> iterators = {parallel, parallel, reduction};
  return linalg::GenericOp::create(
             b, loc, init.getType(), ValueRange{a, bOperand}, init, maps,
             iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               Value product = arith::MulFOp::create(
                   nested, loc, toF32(nested, loc, args[0]),
                   toF32(nested, loc, args[1]));
               Value sum = arith::AddFOp::create(
                   nested, loc, args[2], product,
                   keepTypes ? arith::FastMathFlags::none
                             : arith::FastMathFlags::reassoc);
               linalg::YieldOp::create(nested, loc, sum);
             })
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// The algorithm
//===----------------------------------------------------------------------===//

SoftmaxState TileOps::initialState(int64_t valueSize) {
  return {filled(rowType(), kMinusInfinity), filled(rowType(), 0.0),
          filled(tileType(valueSize), 0.0)};
}

Value TileOps::factors(double value) { return filled(rowType(), value); }

SoftmaxState TileOps::initialState(SoftmaxState place) {
  return {filled(place.max, kMinusInfinity), filled(place.sum, 0.0),
          filled(place.accumulator, 0.0)};
}

Value TileOps::scores(Value keyTile, Value queryTile) {
  AffineExpr d = b.getAffineDimExpr(2);
  AffineMap keyMap = AffineMap::get(3, 0, {otherDim(), d}, b.getContext());
  AffineMap queryMap = oriented(3, queryDim(), d);
  return contract(keyTile, keyMap, queryTile, queryMap,
                  filled(tileType(tile.keys), 0.0));
}

Value TileOps::scaled(Value scores, double factor) {
  return elementwise({}, scores, [&](OpBuilder &nested, ValueRange args) {
    return arith::MulFOp::create(nested, loc, args[0], scalar(nested, factor))
        .getResult();
  });
}

Value TileOps::rounded(Value probabilities, Type type) {
  if (!keepTypes || type.isF32())
    return probabilities;
  auto tileOfType = cast<RankedTensorType>(probabilities.getType()).clone(type);
  return elementwise({probabilities}, empty(tileOfType),
                     [&](OpBuilder &nested, ValueRange args) -> Value {
                       return arith::TruncFOp::create(nested, loc, type,
                                                      args[0]);
                     });
}

Value TileOps::masked(Value scores, AllowedFn allowed) {
  return elementwise({}, scores, [&](OpBuilder &nested, ValueRange args) {
    Value first = linalg::IndexOp::create(nested, loc, 0);
    Value second = linalg::IndexOp::create(nested, loc, 1);
    Value keep = queriesInner ? allowed(nested, first, second)
                              : allowed(nested, second, first);
    bool trusts = keepTypes && !exact;
    Value score = trusts ? args[0] : atLeastLowest(nested, args[0]);
    return arith::SelectOp::create(nested, loc, keep, score,
                                   scalar(nested, kMinusInfinity))
        .getResult();
  });
}

Value TileOps::atLeastLowest(OpBuilder &nested, Value x) {
  Value lowest = scalar(nested, kLowest);
  // One instruction where tensor cores are.
  if (keepTypes)
    return arith::MaximumFOp::create(nested, loc, x, lowest);
  Value isBelow =
      arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OLT, x, lowest);
  return arith::SelectOp::create(nested, loc, isBelow, lowest, x);
}

Value TileOps::maximum(OpBuilder &nested, Value score, Value max) {
  return arith::MaxNumFOp::create(nested, loc, score, max);
}

Value TileOps::exponential(OpBuilder &nested, Value x, Value max) {
  auto approximate = arith::FastMathFlags::afn;
  Value difference = arith::SubFOp::create(nested, loc, x, max);
  if (unit == llvm::numbers::ln2)
    return math::Exp2Op::create(nested, loc, difference, approximate);
  if (keepTypes) {
    Value factor = scalar(nested, unit * llvm::numbers::log2e);
    Value exponent = arith::MulFOp::create(nested, loc, difference, factor);
    return math::Exp2Op::create(nested, loc, exponent, approximate);
  }
  // The product need not be rounded before the exponential reduces it.
  if (unit != 1.0)
    difference =
        arith::MulFOp::create(nested, loc, difference, scalar(nested, unit),
                              arith::FastMathFlags::contract);
  return math::ExpOp::create(nested, loc, difference, approximate);
}

/// m c, with c the unit in base 2, and finite for finite m.
Value TileOps::inBaseTwo(OpBuilder &nested, Value max) {
  double factor = unit * llvm::numbers::log2e;
  Value product =
      arith::MulFOp::create(nested, loc, max, scalar(nested, factor));
  return factor > 1.0 ? atLeastLowest(nested, product) : product;
}

Value TileOps::probability(OpBuilder &nested, Value score, Value max) {
  if (!fusesScale)
    return exponential(nested, score, max);
  Value factor = scalar(nested, unit * llvm::numbers::log2e);
  Value shift;
  if (exact) {
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

Value TileOps::rescale(OpBuilder &nested, Value before, Value max) {
  if (!fusesScale)
    return exponential(nested, before, max);
  // What was added with the rounded m c must be taken off with the same.
  Value factor = scalar(nested, unit * llvm::numbers::log2e);
  Value exponent;
  if (exact) {
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

Value TileOps::rescaledSum(Value alpha, Value x, Value y) {
  return elementwise(
      {alpha, y}, x, [&](OpBuilder &nested, ValueRange args) -> Value {
        return math::FmaOp::create(nested, loc, args[0], args[2], args[1]);
      });
}

SoftmaxState TileOps::update(SoftmaxState state, Value scores,
                             const ValueTile &values, AllowedFn allowed) {
  // Rows may be masked altogether so far.
  bool guard = bool(allowed);
  if (allowed)
    scores = masked(scores, allowed);
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

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

Value TileOps::nanIfAllMinusInfinity(OpBuilder &nested, Value max,
                                     Value value) {
  Value isLowest = arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OEQ,
                                         max, scalar(nested, kLowest));
  Value nan = scalar(nested, std::numeric_limits<double>::quiet_NaN());
  return arith::SelectOp::create(nested, loc, isLowest, nan, value);
}

SoftmaxState TileOps::restarted(const SoftmaxState &state, bool hasFactor) {
  Value factor;
  if (hasFactor)
    factor = safeFactor(state.accumulator,
                        state.factor ? state.factor : empty(rowType()));
  SoftmaxState initial = initialState(state);
  initial.factor = factor;
  return initial;
}

/// x == special ? infinity : otherwise
Value TileOps::infiniteIf(OpBuilder &nested, Value x, double special,
                          Value otherwise) {
  Value is = arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OEQ, x,
                                   scalar(nested, special));
  return arith::SelectOp::create(nested, loc, is,
                                 scalar(nested, -kMinusInfinity), otherwise);
}

Value TileOps::weightsOf(OpBuilder &nested, Value sum, Value factor) {
  return arith::MulFOp::create(nested, loc, sum, factor);
}

Value TileOps::divisor(const SoftmaxState &state) {
  SmallVector<Value> inputs = {state.max, state.sum};
  if (state.factor)
    inputs.push_back(state.factor);
  return elementwise(
      inputs, empty(rowType()), [&](OpBuilder &nested, ValueRange args) {
        Value weights =
            state.factor ? weightsOf(nested, args[1], args[2]) : args[1];
        weights = infiniteIf(nested, args[0], kMinusInfinity, weights);
        return nanIfAllMinusInfinity(nested, args[0], weights);
      });
}

Value TileOps::means(const SoftmaxState &state) {
  SmallVector<Value> inputs = {state.sum};
  if (state.factor)
    inputs.push_back(state.factor);
  Value weights = elementwise(
      inputs, empty(rowType()), [&](OpBuilder &nested, ValueRange args) {
        Value all =
            state.factor ? weightsOf(nested, args[0], args[1]) : args[0];
        return infiniteIf(nested, all, /*special=*/0.0, all);
      });
  return elementwise(
      {weights}, state.accumulator, [&](OpBuilder &nested, ValueRange args) {
        return quotient(nested, args[1], args[0], nested.getF32Type());
      });
}

Value TileOps::quotient(OpBuilder &nested, Value x, Value divisor,
                        FloatType type) {
  Value result;
  if (keepTypes) {
    Value inverse =
        arith::DivFOp::create(nested, loc, scalar(nested, 1.0), divisor);
    result = arith::MulFOp::create(nested, loc, x, inverse);
  } else {
    result = arith::DivFOp::create(nested, loc, x, divisor);
  }
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

Value TileOps::output(const SoftmaxState &state, Value rows,
                      Value destination) {
  Value accumulator = state.accumulator, weights = divisor(state);
  unsigned rowDim = queriesInner ? 1 : 0;
  // Whole tiles can become vectors; only the last step looks at the rows.
  Value target = destination;
  if (keepTypes)
    target = empty(cast<RankedTensorType>(accumulator.getType())
                       .clone(getElementTypeOrSelf(destination)));
  else if (!getConstantIntValue(rows)) {
    accumulator = firstRows(b, loc, accumulator, rowDim, rows);
    SmallVector<OpFoldResult> zero = {b.getIndexAttr(0)},
                              size = {getAsOpFoldResult(rows)},
                              one = {b.getIndexAttr(1)};
    weights = tensor::ExtractSliceOp::create(b, loc, weights, zero, size, one);
  }
  SmallVector<unsigned> permutation = {0, 1};
  if (rowDim == 1)
    permutation = {1, 0};
  SmallVector<AffineMap> maps = {
      AffineMap::getPermutationMap(permutation, b.getContext()),
      AffineMap::get(2, 0, b.getAffineDimExpr(0)), b.getMultiDimIdentityMap(2)};
  SmallVector<utils::IteratorType> iterators(2, parallel);
  Value result = linalg::GenericOp::create(
                     b, loc, target.getType(), ValueRange{accumulator, weights},
                     target, maps, iterators,
                     [&](OpBuilder &nested, Location, ValueRange args) {
                       auto type = cast<FloatType>(args[2].getType());
                       Value o = quotient(nested, args[0], args[1], type);
                       if (!type.isF32())
                         o = arith::TruncFOp::create(nested, loc, type, o);
                       linalg::YieldOp::create(nested, loc, o);
                     })
                     .getResult(0);
  if (keepTypes && !getConstantIntValue(rows))
    return firstRows(b, loc, result, rowDim, rows);
  return result;
}

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
  // In the place of mx, which is not read any more.
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

/// 2^-(e + 2) for a sum from 2^e to 2^(e + 1).
Value TileOps::shareFactor(Value sum) {
  constexpr int32_t exponentBits = 0x7f800000;
  constexpr int32_t ofQuarterSquared = (2 * 127 - 2) << 23;
  return elementwise(
      {sum}, empty(rowType()),
      [&](OpBuilder &nested, ValueRange args) -> Value {
        auto i32 = [&](int32_t value) -> Value {
          return arith::ConstantOp::create(nested, loc,
                                           nested.getI32IntegerAttr(value));
        };
        Value bits =
            arith::BitcastOp::create(nested, loc, nested.getI32Type(), args[0]);
        Value exponent =
            arith::AndIOp::create(nested, loc, bits, i32(exponentBits));
        Value inverse =
            arith::SubIOp::create(nested, loc, i32(ofQuarterSquared), exponent);
        return arith::BitcastOp::create(nested, loc, nested.getF32Type(),
                                        inverse);
      });
}

Value TileOps::share(const SoftmaxState &part, const SoftmaxState &all) {
  // l. exp((m. - m) unit) factor
  SmallVector<Value> inputs = {part.max, part.sum, all.max};
  if (all.factor)
    inputs.push_back(all.factor);
  return elementwise(
      inputs, empty(rowType()),
      [&](OpBuilder &nested, ValueRange args) -> Value {
        Value weight = rescale(nested, args[0], atLeastLowest(nested, args[2]));
        weight = arith::MulFOp::create(nested, loc, args[1], weight);
        return all.factor ? weightsOf(nested, weight, args[3]) : weight;
      });
}

Value TileOps::addedShare(Value share, Value mean, Value total) {
  return elementwise(
      {share, mean}, total, [&](OpBuilder &nested, ValueRange args) -> Value {
        return math::FmaOp::create(nested, loc, args[0], args[1], args[2]);
      });
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
  return queriesInner ? transposed(b, loc, tileValue, destination) : tileValue;
}

Value TileOps::fromRows(Value rows) {
  if (!queriesInner)
    return rows;
  int64_t size = cast<RankedTensorType>(rows.getType()).getDimSize(1);
  return transposed(b, loc, rows, empty(tileType(size)));
}
