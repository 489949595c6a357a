//===- TileMerge.cpp - States over disjoint keys as one -------------------===//

#include "SparseAttn/Transforms/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

SoftmaxState TileOps::mergedSums(const SoftmaxState &x,
                                 ArrayRef<SoftmaxState> others) {
  // m = max of all;  l = sum of l. exp((m. - m) unit)
  SmallVector<Value> maxima = {x.max}, sums;
  for (const SoftmaxState &other : others) {
    maxima.push_back(other.max);
    sums.push_back(other.sum);
  }
  Value max = elementwise(maxima, empty(rowType()),
                          [&](OpBuilder &nested, ValueRange args) {
                            Value largest = args.front();
                            for (Value next : args.drop_front().drop_back())
                              largest = maximum(nested, next, largest);
                            return largest;
                          });
  SmallVector<Value> inputs = {max};
  llvm::append_range(inputs, maxima);
  llvm::append_range(inputs, sums);
  Value sum = elementwise(
      inputs, x.sum, [&](OpBuilder &nested, ValueRange args) -> Value {
        Value base = atLeastLowest(nested, args[0]);
        // Those of x, whose place the result takes, come last.
        SmallVector<Value> parts = {args.back()};
        llvm::append_range(parts,
                           args.drop_front(1 + maxima.size()).drop_back());
        Value total;
        for (size_t part = parts.size(); part-- > 0;) {
          Value weight = rescale(nested, args[1 + part], base);
          if (total)
            total =
                math::FmaOp::create(nested, loc, parts[part], weight, total);
          else
            total = arith::MulFOp::create(nested, loc, parts[part], weight);
        }
        return total;
      });
  return {max, sum, {}};
}

/// The maximum and the sum of both first, then their means by the shares in
/// that sum, so that each is rounded once.
SoftmaxState TileOps::merged(const SoftmaxState &x, const SoftmaxState &y,
                             bool hasFactor) {
  SoftmaxState all = mergedSums(x, {y});
  if (hasFactor)
    all.factor = shareFactor(all.sum, empty(rowType()));
  auto type = cast<RankedTensorType>(x.accumulator.getType());
  all.accumulator = filled(type, 0.0);
  for (const SoftmaxState *part : {&x, &y})
    all.accumulator =
        addedShare(share(*part, all), means(*part), all.accumulator);
  return all;
}

/// The maximum and the sum first, then the means by their shares in that sum,
/// of which each is rounded once.
SoftmaxState TileOps::mergedStored(const SoftmaxState &x,
                                   ArrayRef<SoftmaxState> others) {
  SoftmaxState all = mergedSums(x, others);
  if (x.factor)
    all.factor = shareFactor(all.sum, empty(rowType()));
  all.accumulator =
      elementwise({keptShare(x, all)}, x.accumulator,
                  [&](OpBuilder &nested, ValueRange args) -> Value {
                    return arith::MulFOp::create(nested, loc, args[0], args[1]);
                  });
  for (const SoftmaxState &part : others)
    all.accumulator =
        addedShare(share(part, all), part.accumulator, all.accumulator);
  // Both once more, in the places of those of x, which nothing reads from here.
  all.max = elementwise({all.max}, x.max,
                        [&](OpBuilder &nested, ValueRange args) -> Value {
                          return maximum(nested, args[0], args[1]);
                        });
  if (x.factor)
    all.factor = shareFactor(all.sum, x.factor);
  return all;
}

SoftmaxState TileOps::withSink(const SoftmaxState &state, Value sink) {
  bool isCommon = sink.getType().isF32();
  // m' = max(m, s);  l' = alpha l + exp((s - m') unit);  A' = alpha A
  auto withScore = [&](ValueRange inputs, Value init, auto body) {
    SmallVector<Value> all(inputs);
    if (!isCommon)
      all.push_back(sink);
    return elementwise(all, init,
                       [&](OpBuilder &nested, ValueRange args) -> Value {
                         Value score = isCommon ? sink : args[inputs.size()];
                         return body(nested, args, inUnits(nested, score));
                       });
  };
  Value max = withScore({state.max}, empty(rowType()),
                        [&](OpBuilder &nested, ValueRange args, Value score) {
                          return maximum(nested, score, args[0]);
                        });
  Value alpha = elementwise({state.max, max}, empty(rowType()),
                            [&](OpBuilder &nested, ValueRange args) {
                              return rescale(nested, args[0],
                                             atLeastLowest(nested, args[1]));
                            });
  Value sum = withScore(
      {alpha, max}, state.sum,
      [&](OpBuilder &nested, ValueRange args, Value score) -> Value {
        Value weight =
            probability(nested, score, atLeastLowest(nested, args[1]));
        return math::FmaOp::create(nested, loc, args.back(), args[0], weight);
      });
  Value accumulator =
      elementwise({alpha}, state.accumulator,
                  [&](OpBuilder &nested, ValueRange args) -> Value {
                    return arith::MulFOp::create(nested, loc, args[1], args[0]);
                  });
  return {max, sum, accumulator, state.factor, state.isAgain};
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

Value TileOps::keptShare(const SoftmaxState &x, const SoftmaxState &all) {
  // exp((m. - m) unit) factor / factor.
  SmallVector<Value> inputs = {x.max, all.max};
  if (x.factor)
    inputs.append({x.factor, all.factor});
  return elementwise(
      inputs, empty(rowType()), [&](OpBuilder &nested, ValueRange args) {
        Value kept = rescale(nested, args[0], atLeastLowest(nested, args[1]));
        if (!x.factor)
          return kept;
        Value factor = arith::MulFOp::create(nested, loc, args[3],
                                             inverse(nested, args[2]));
        return arith::MulFOp::create(nested, loc, kept, factor).getResult();
      });
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
