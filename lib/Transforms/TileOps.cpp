//===- TileOps.cpp - Online softmax as linalg ops on tiles ----------------===//

#include "TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr double kLn2 = 0.69314718055994530942;

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
  Value element = scalar(b, value);
  return linalg::FillOp::create(b, loc, element, empty(type)).getResult(0);
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

static Value toF32(OpBuilder &b, Location loc, Value x) {
  if (x.getType().isF32())
    return x;
  return arith::ExtFOp::create(b, loc, b.getF32Type(), x);
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
               Value sum = arith::AddFOp::create(nested, loc, args[2], product);
               linalg::YieldOp::create(nested, loc, sum);
             })
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// The first `rows` rows along `dim` of a rank-2 tile.
static Value firstRows(OpBuilder &b, Location loc, Value tileValue,
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

/// Copies source [rows, x] into the leading rows of `destination`, whose
/// dimension `rowDim` runs over rows, converting each element with `convert`.
static Value copyRows(OpBuilder &b, Location loc, Value source,
                      Value destination, unsigned rowDim, Value rows,
                      llvm::function_ref<Value(OpBuilder &, Value)> convert) {
  bool ragged = !getConstantIntValue(rows);
  Value target =
      ragged ? firstRows(b, loc, destination, rowDim, rows) : destination;
  SmallVector<unsigned> permutation = {0, 1};
  if (rowDim == 1)
    permutation = {1, 0};
  SmallVector<AffineMap> maps = {
      b.getMultiDimIdentityMap(2),
      AffineMap::getPermutationMap(permutation, b.getContext())};
  SmallVector<utils::IteratorType> iterators(2, parallel);
  Value copied =
      linalg::GenericOp::create(
          b, loc, target.getType(), source, target, maps, iterators,
          [&](OpBuilder &nested, Location, ValueRange args) {
            linalg::YieldOp::create(nested, loc, convert(nested, args[0]));
          })
          .getResult(0);
  if (!ragged)
    return copied;
  auto slice = target.getDefiningOp<tensor::ExtractSliceOp>();
  return tensor::InsertSliceOp::create(
      b, loc, copied, destination, slice.getMixedOffsets(),
      slice.getMixedSizes(), slice.getMixedStrides());
}

Value TileOps::packQuery(Value query, Value rows, double factor) {
  int64_t size = cast<RankedTensorType>(query.getType()).getDimSize(1);
  RankedTensorType type = tileType(size);
  Value destination =
      getConstantIntValue(rows) ? empty(type) : filled(type, 0.0);
  return copyRows(b, loc, query, destination, queriesInner ? 1 : 0, rows,
                  [&](OpBuilder &nested, Value x) -> Value {
                    return arith::MulFOp::create(nested, loc,
                                                 toF32(nested, loc, x),
                                                 scalar(nested, factor));
                  });
}

Value TileOps::packKeys(Value keys, Value rows) {
  int64_t size = cast<RankedTensorType>(keys.getType()).getDimSize(1);
  auto type = RankedTensorType::get({tile.keys, size}, b.getF32Type());
  Value destination =
      getConstantIntValue(rows) ? empty(type) : filled(type, 0.0);
  return copyRows(
      b, loc, keys, destination, 0, rows,
      [&](OpBuilder &nested, Value x) { return toF32(nested, loc, x); });
}

Value TileOps::padRows(Value source, Value rows, int64_t count) {
  auto type = cast<RankedTensorType>(source.getType());
  if (type.getDimSize(0) == count)
    return source;
  Value missing = b.createOrFold<arith::SubIOp>(
      loc, arith::ConstantIndexOp::create(b, loc, count), rows);
  Value zero =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
  SmallVector<OpFoldResult> low(2, b.getIndexAttr(0));
  SmallVector<OpFoldResult> high = {missing, b.getIndexAttr(0)};
  auto padded =
      RankedTensorType::get({count, type.getDimSize(1)}, type.getElementType());
  return tensor::PadOp::create(b, loc, padded, source, low, high, zero);
}

//===----------------------------------------------------------------------===//
// The algorithm
//===----------------------------------------------------------------------===//

SoftmaxState TileOps::initialState(int64_t valueSize) {
  return {filled(rowType(), kMinusInfinity), filled(rowType(), 0.0),
          filled(tileType(valueSize), 0.0)};
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

Value TileOps::masked(
    Value scores,
    llvm::function_ref<Value(OpBuilder &, Value k, Value q)> allowed) {
  return elementwise({}, scores, [&](OpBuilder &nested, ValueRange args) {
    Value first = linalg::IndexOp::create(nested, loc, 0);
    Value second = linalg::IndexOp::create(nested, loc, 1);
    Value keep = queriesInner ? allowed(nested, first, second)
                              : allowed(nested, second, first);
    return arith::SelectOp::create(nested, loc, keep, args[0],
                                   scalar(nested, kMinusInfinity))
        .getResult();
  });
}

/// m, and 0 where m = -inf: the number that may be subtracted from scores.
Value TileOps::zeroIfEmpty(OpBuilder &nested, Value max) {
  Value isEmpty = arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OEQ,
                                        max, scalar(nested, kMinusInfinity));
  return arith::SelectOp::create(nested, loc, isEmpty, scalar(nested, 0.0),
                                 max);
}

Value TileOps::safeMax(Value max) {
  return elementwise({max}, empty(rowType()),
                     [&](OpBuilder &nested, ValueRange args) {
                       return zeroIfEmpty(nested, args[0]);
                     });
}

SoftmaxState TileOps::update(SoftmaxState state, Value scores, Value valueTile,
                             bool guard) {
  auto exp2OfDifference = [&](OpBuilder &nested, Value x, Value y) -> Value {
    Value difference = arith::SubFOp::create(nested, loc, x, y);
    return math::Exp2Op::create(nested, loc, difference);
  };
  auto add = [&](OpBuilder &nested, ValueRange args) -> Value {
    return arith::AddFOp::create(nested, loc, args[1], args[0]);
  };
  auto maximum = [&](OpBuilder &nested, ValueRange args) -> Value {
    return arith::MaxNumFOp::create(nested, loc, args[1], args[0]);
  };
  Value tileMax =
      reduceOverKeys(scores, filled(rowType(), kMinusInfinity), maximum);
  // alpha = exp2(m - m'), while m is still there
  Value alpha = elementwise({tileMax, state.max}, empty(rowType()),
                            [&](OpBuilder &nested, ValueRange args) {
                              Value next = maximum(nested, args);
                              if (guard)
                                next = zeroIfEmpty(nested, next);
                              return exp2OfDifference(nested, args[1], next);
                            });
  // m' = max(m, max_k S), in the place of m
  Value max = elementwise({tileMax}, state.max, maximum);
  Value base = guard ? safeMax(max) : max;
  // P = exp2(S - m'), in the score tile's place
  Value probabilities =
      elementwise({base}, scores, [&](OpBuilder &nested, ValueRange args) {
        return exp2OfDifference(nested, args[1], args[0]);
      });
  // l' = alpha l + sum_k P,  A' = alpha A + V^T P
  auto rescale = [&](OpBuilder &nested, ValueRange args) -> Value {
    return arith::MulFOp::create(nested, loc, args[1], args[0]);
  };
  Value sum = reduceOverKeys(probabilities,
                             elementwise({alpha}, state.sum, rescale), add);
  Value rescaled = elementwise({alpha}, state.accumulator, rescale);
  AffineExpr k = b.getAffineDimExpr(2);
  AffineMap valueMap = AffineMap::get(3, 0, {k, otherDim()}, b.getContext());
  AffineMap probabilityMap = oriented(3, queryDim(), k);
  Value accumulator =
      contract(valueTile, valueMap,
               rounded(probabilities, getElementTypeOrSelf(valueTile)),
               probabilityMap, rescaled);
  return {max, sum, accumulator};
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

Value TileOps::reciprocal(Value sum) {
  return elementwise(
      {sum}, empty(rowType()), [&](OpBuilder &nested, ValueRange args) {
        Value zero = scalar(nested, 0.0);
        Value isEmpty = arith::CmpFOp::create(
            nested, loc, arith::CmpFPredicate::OEQ, args[0], zero);
        Value inverse =
            arith::DivFOp::create(nested, loc, scalar(nested, 1.0), args[0]);
        return arith::SelectOp::create(nested, loc, isEmpty, zero, inverse)
            .getResult();
      });
}

Value TileOps::logSumExp(const SoftmaxState &state) {
  return elementwise(
      {state.max, state.sum}, empty(rowType()),
      [&](OpBuilder &nested, ValueRange args) {
        // ln(sum_k exp(s)) = (m + log2 l) ln 2, as m is in base 2.
        Value isEmpty =
            arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OEQ,
                                  args[1], scalar(nested, 0.0));
        Value log = math::Log2Op::create(nested, loc, args[1]);
        Value total = arith::AddFOp::create(nested, loc, args[0], log);
        Value natural =
            arith::MulFOp::create(nested, loc, total, scalar(nested, kLn2));
        return arith::SelectOp::create(nested, loc, isEmpty,
                                       scalar(nested, kMinusInfinity), natural)
            .getResult();
      });
}

Value TileOps::normalised(Value accumulator, Value reciprocal, Value rows,
                          Value destination) {
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
    reciprocal =
        tensor::ExtractSliceOp::create(b, loc, reciprocal, zero, size, one);
  }
  SmallVector<unsigned> permutation = {0, 1};
  if (rowDim == 1)
    permutation = {1, 0};
  SmallVector<AffineMap> maps = {
      AffineMap::getPermutationMap(permutation, b.getContext()),
      AffineMap::get(2, 0, b.getAffineDimExpr(0)), b.getMultiDimIdentityMap(2)};
  SmallVector<utils::IteratorType> iterators(2, parallel);
  Value result =
      linalg::GenericOp::create(
          b, loc, target.getType(), ValueRange{accumulator, reciprocal}, target,
          maps, iterators,
          [&](OpBuilder &nested, Location, ValueRange args) {
            Value o = arith::MulFOp::create(nested, loc, args[0], args[1]);
            if (!args[2].getType().isF32())
              o = arith::TruncFOp::create(nested, loc, args[2].getType(), o);
            linalg::YieldOp::create(nested, loc, o);
          })
          .getResult(0);
  if (keepTypes && !getConstantIntValue(rows))
    return firstRows(b, loc, result, rowDim, rows);
  return result;
}

SoftmaxState TileOps::merged(SoftmaxState x, SoftmaxState y) {
  // m = max(mx, my);  l = sum of l. exp2(m. - m);  A likewise
  auto maximum = [&](OpBuilder &nested, ValueRange args) -> Value {
    return arith::MaxNumFOp::create(nested, loc, args[1], args[0]);
  };
  auto weight = [&](unsigned which) {
    return elementwise({y.max, x.max}, empty(rowType()),
                       [&](OpBuilder &nested, ValueRange args) -> Value {
                         Value base =
                             zeroIfEmpty(nested, maximum(nested, args));
                         Value difference = arith::SubFOp::create(
                             nested, loc, args[which], base);
                         return math::Exp2Op::create(nested, loc, difference);
                       });
  };
  Value wx = weight(1), wy = weight(0);
  // In the place of mx, which is not read any more.
  Value max = elementwise({y.max}, x.max, maximum);
  auto combine = [&](Value a, Value other) {
    return elementwise(
        {wx, wy, other}, a, [&](OpBuilder &nested, ValueRange args) -> Value {
          Value ax = arith::MulFOp::create(nested, loc, args[3], args[0]);
          Value ay = arith::MulFOp::create(nested, loc, args[2], args[1]);
          return arith::AddFOp::create(nested, loc, ax, ay);
        });
  };
  return {max, combine(x.sum, y.sum), combine(x.accumulator, y.accumulator)};
}
