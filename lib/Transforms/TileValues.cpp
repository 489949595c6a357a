//===- TileValues.cpp - The second product, of probabilities and values ---===//

#include "TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;

/// Row `index` of a tile.
static Value rowOf(OpBuilder &b, Location loc, Value tileValue, Value index) {
  auto type = cast<RankedTensorType>(tileValue.getType());
  int64_t size = type.getDimSize(1);
  SmallVector<OpFoldResult> offsets = {index, b.getIndexAttr(0)};
  SmallVector<OpFoldResult> sizes = {b.getIndexAttr(1), b.getIndexAttr(size)};
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get({size}, type.getElementType()), tileValue,
      offsets, sizes, strides);
}

Value TileOps::rescaled(Value factor, Value tileValue) {
  return elementwise(
      {factor}, tileValue, [&](OpBuilder &nested, ValueRange args) -> Value {
        return arith::MulFOp::create(nested, loc, args[1], args[0]);
      });
}

/// The product starts from zero, so that its rounding errors are those of the
/// sum over one tile, not over all keys. Tensor cores add to the accumulator
/// they are given instead, which is rescaled already.
Value TileOps::accumulatedProduct(Value accumulator, const Terms &terms) {
  AffineExpr k = b.getAffineDimExpr(2);
  AffineMap valueMap = AffineMap::get(3, 0, {k, otherDim()}, b.getContext());
  AffineMap weightMap = oriented(3, queryDim(), k);
  Value values = terms.values.tile;
  auto product = [&](Value init) {
    return contract(values, valueMap,
                    rounded(terms.weights, getElementTypeOrSelf(values)),
                    weightMap, init);
  };
  if (!keepTypes) {
    auto type = cast<RankedTensorType>(accumulator.getType());
    return rescaledSum(terms.alpha, accumulator, product(filled(type, 0.0)));
  }
  return product(accumulator);
}

/// Pairs that are masked add nothing, rather than 0 * V.
Value TileOps::accumulatedWhereAllowed(Value accumulator, const Terms &terms) {
  // 0 where allowed, else -inf
  Value mask = masked(filled(tileType(tile.keys), 0.0), terms.allowed);
  AffineExpr k = b.getAffineDimExpr(2);
  AffineMap tileMap = oriented(3, queryDim(), k);
  SmallVector<AffineMap> maps = {
      tileMap, tileMap, AffineMap::get(3, 0, {k, otherDim()}, b.getContext()),
      AffineMap::get(3, 0, {b.getAffineDimExpr(0), b.getAffineDimExpr(1)},
                     b.getContext())};
  SmallVector<utils::IteratorType> iterators = {parallel, parallel, reduction};
  Value init = filled(cast<RankedTensorType>(accumulator.getType()), 0.0);
  auto product = linalg::GenericOp::create(
      b, loc, init.getType(),
      ValueRange{mask, terms.weights, terms.values.tile}, init, maps, iterators,
      [&](OpBuilder &nested, Location, ValueRange args) {
        Value zero = scalar(nested, 0.0);
        Value live = arith::CmpFOp::create(
            nested, loc, arith::CmpFPredicate::OEQ, args[0], zero);
        Value term = arith::MulFOp::create(nested, loc, args[1],
                                           toF32(nested, loc, args[2]));
        term = arith::SelectOp::create(nested, loc, live, term, zero);
        Value sum = arith::AddFOp::create(nested, loc, args[3], term);
        linalg::YieldOp::create(nested, loc, sum);
      });
  return rescaledSum(terms.alpha, accumulator, product.getResult(0));
}

/// sum of 0 x is 0, or NaN where any x is NaN or infinite. Operands that are
/// kept are looked at one by one, as threads share no sum.
Value TileOps::isFinite(Value tileValue) {
  if (keepTypes)
    return holdsForAll(tileValue, [&](OpBuilder &nested, ValueRange args) {
      Value x = toF32(nested, loc, args[0]);
      return isNumber(nested, magnitude(nested, x));
    });
  // Neither the order nor the sign of zeros matters.
  auto free = arith::FastMathFlags::reassoc | arith::FastMathFlags::nsz;
  auto type = cast<RankedTensorType>(tileValue.getType());
  auto sumOver = [&](Value source, RankedTensorType resultType,
                     ArrayRef<AffineMap> maps,
                     ArrayRef<utils::IteratorType> iterators) {
    return linalg::GenericOp::create(
               b, loc, resultType, source, filled(resultType, 0.0), maps,
               iterators,
               [&](OpBuilder &nested, Location, ValueRange args) {
                 Value product = arith::MulFOp::create(
                     nested, loc, args[0], scalar(nested, 0.0), free);
                 Value sum =
                     arith::AddFOp::create(nested, loc, args[1], product, free);
                 linalg::YieldOp::create(nested, loc, sum);
               })
        .getResult(0);
  };
  Type f32 = b.getF32Type();
  Value columns =
      sumOver(tileValue, RankedTensorType::get({type.getDimSize(1)}, f32),
              {b.getMultiDimIdentityMap(2),
               AffineMap::get(2, 0, b.getAffineDimExpr(1))},
              {reduction, parallel});
  Value sum = sumOver(
      columns, RankedTensorType::get({}, f32),
      {b.getMultiDimIdentityMap(1), AffineMap::get(1, 0, b.getContext())},
      {reduction});
  Value element = tensor::ExtractOp::create(b, loc, sum, ValueRange{});
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, element,
                               scalar(b, 0.0));
}

/// The same for operands of tensor cores, key by key:
///
///   for each key k that exists:  p = P[:, k],  A[q, :] += p[q] V[k, :]
///
/// for the rows q that see k, which are all without a mask.
Value TileOps::accumulatedByKey(Value accumulator, const Terms &terms) {
  const ValueTile &values = terms.values;
  // As the product takes them: that is all that a thread keeps.
  Value probabilities =
      rounded(terms.weights, getElementTypeOrSelf(values.tile));
  auto accumulate = [&](OpBuilder &nested, Value key, Value sum) -> Value {
    TileOps ops(nested, loc, getStyle(), tile);
    Value weights = ops.columnOf(probabilities, key);
    Value row = rowOf(nested, loc, values.tile, key);
    SmallVector<AffineMap> maps = {AffineMap::get(2, 0, queryDim()),
                                   AffineMap::get(2, 0, otherDim()),
                                   nested.getMultiDimIdentityMap(2)};
    return linalg::GenericOp::create(
               nested, loc, sum.getType(), ValueRange{weights, row}, sum, maps,
               SmallVector<utils::IteratorType>(2, parallel),
               [&](OpBuilder &body, Location, ValueRange args) {
                 Value next = math::FmaOp::create(
                     body, loc, args[0], toF32(body, loc, args[1]), args[2]);
                 if (terms.allowed) {
                   Value query =
                       linalg::IndexOp::create(body, loc, queriesInner ? 1 : 0);
                   Value live = terms.allowed(body, key, query);
                   next =
                       arith::SelectOp::create(body, loc, live, next, args[2]);
                 }
                 linalg::YieldOp::create(body, loc, next);
               })
        .getResult(0);
  };
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop = scf::ForOp::create(
      b, loc, zero, values.count, one, accumulator,
      [&](OpBuilder &nested, Location, Value key, ValueRange carried) {
        scf::YieldOp::create(nested, loc, accumulate(nested, key, carried[0]));
      });
  return loop.getResult(0);
}

/// The column of a tile that belongs to one key: key <= k < key + 1, a range as
/// masks have them, of which a thread holds only where it begins.
Value TileOps::columnOf(Value tileValue, Value key) {
  auto toI32 = [&](OpBuilder &nested, Value x) -> Value {
    return arith::IndexCastOp::create(nested, loc, nested.getI32Type(), x);
  };
  Value low = toI32(b, key);
  Value one = arith::ConstantIntOp::create(b, loc, b.getI32Type(), 1);
  Value high = arith::AddIOp::create(b, loc, low, one);
  return reduceOverKeys(
      tileValue, filled(rowType(), 0.0),
      [&](OpBuilder &nested, ValueRange args) -> Value {
        Value k = toI32(
            nested, linalg::IndexOp::create(nested, loc, queriesInner ? 0 : 1));
        Value reached = arith::CmpIOp::create(
            nested, loc, arith::CmpIPredicate::sge, k, low);
        Value notPassed = arith::CmpIOp::create(
            nested, loc, arith::CmpIPredicate::slt, k, high);
        Value isThis = arith::AndIOp::create(nested, loc, reached, notPassed);
        Value element = arith::SelectOp::create(nested, loc, isThis,
                                                toF32(nested, loc, args[0]),
                                                scalar(nested, 0.0));
        return arith::AddFOp::create(nested, loc, args[1], element);
      });
}

/// The weight of a masked pair is 0, but 0 * NaN is NaN: where V has a NaN or
/// an infinity, the mask decides which products there are. Tensor cores are not
/// asked for sums that they would lose some of.
Value TileOps::isPlain(const Terms &terms) {
  Value values = terms.values.tile;
  if (!keepTypes)
    return terms.allowed ? isFinite(values) : Value();
  if (!exact)
    return {};
  if (getElementTypeOrSelf(values.getType()).isF32())
    return arith::AndIOp::create(b, loc, haveParts(values),
                                 haveParts(terms.weights));
  return terms.allowed ? isFinite(values) : Value();
}

Value TileOps::accumulated(Value accumulator, const Terms &terms) {
  if (keepTypes)
    accumulator = rescaled(terms.alpha, accumulator);
  Value plain = isPlain(terms);
  if (!plain)
    return accumulatedProduct(accumulator, terms);
  auto branch = scf::IfOp::create(b, loc, accumulator.getType(), plain,
                                  /*withElse=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, accumulatedProduct(accumulator, terms));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc,
                       keepTypes ? accumulatedByKey(accumulator, terms)
                                 : accumulatedWhereAllowed(accumulator, terms));
  return branch.getResult(0);
}
