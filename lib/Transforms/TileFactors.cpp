//===- TileFactors.cpp - Factors of weights that A has no room for --------===//

#include "SparseAttn/Transforms/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

Value TileOps::factors(double value) { return filled(rowType(), value); }

SoftmaxState TileOps::restarted(const SoftmaxState &state, bool hasFactor) {
  Value factor;
  if (hasFactor)
    factor = safeFactor(state.accumulator,
                        state.factor ? state.factor : empty(rowType()));
  SoftmaxState initial = initialState(state);
  initial.factor = factor;
  return initial;
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

Value TileOps::factored(ValueRange inputs, const SoftmaxState &state,
                        FactoredFn body) {
  SmallVector<Value> all(inputs);
  if (state.factor)
    all.push_back(state.factor);
  return elementwise(all, empty(rowType()),
                     [&](OpBuilder &nested, ValueRange args) -> Value {
                       return body(nested, args, [&](Value weight) -> Value {
                         if (!state.factor)
                           return weight;
                         return arith::MulFOp::create(nested, loc, weight,
                                                      args[inputs.size()]);
                       });
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
  return branch(
      state.isAgain, probabilities.getType(),
      [&] { return weighed(probabilities, state.factor); },
      [&] { return probabilities; });
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

static Value asBits(OpBuilder &b, Location loc, Value x) {
  return arith::BitcastOp::create(b, loc, b.getI32Type(), x);
}

static Value fromBits(OpBuilder &b, Location loc, Value bits) {
  return arith::BitcastOp::create(b, loc, b.getF32Type(), bits);
}

static Value constantBits(OpBuilder &b, Location loc, int32_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}

/// 2^-(e + 2) for a sum from 2^e to 2^(e + 1).
Value TileOps::shareFactor(Value sum, Value place) {
  constexpr int32_t exponentBits = 0x7f800000;
  constexpr int32_t ofQuarterSquared = (2 * 127 - 2) << 23;
  return elementwise(
      {sum}, place, [&](OpBuilder &nested, ValueRange args) -> Value {
        Value exponent =
            arith::AndIOp::create(nested, loc, asBits(nested, loc, args[0]),
                                  constantBits(nested, loc, exponentBits));
        return fromBits(
            nested, loc,
            arith::SubIOp::create(nested, loc,
                                  constantBits(nested, loc, ofQuarterSquared),
                                  exponent));
      });
}

Value TileOps::inverse(OpBuilder &nested, Value x) {
  constexpr int32_t ofOneSquared = 2 * 127 << 23;
  return fromBits(nested, loc,
                  arith::SubIOp::create(nested, loc,
                                        constantBits(nested, loc, ofOneSquared),
                                        asBits(nested, loc, x)));
}
