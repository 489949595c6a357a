//===- FloatValues.cpp - The second product of f32 tiles ------------------===//

#include "SparseAttn/Transforms/FloatTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;

/// The product starts from zero, so that its rounding errors are those of the
/// sum over one tile, not over all keys.
Value FloatTiles::accumulatedProduct(Value accumulator, const Terms &terms) {
  auto type = cast<RankedTensorType>(accumulator.getType());
  Value sum = valueProduct(terms.values.tile, terms.weights, filled(type, 0.0));
  return rescaledSum(terms.alpha, accumulator, sum);
}

/// Pairs that are masked add nothing, rather than 0 * V.
Value FloatTiles::accumulatedWhereAllowed(Value accumulator,
                                          const Terms &terms) {
  // 0 where allowed, else -inf
  Value mask =
      revised(filled(tileType(tile.keys), 0.0), /*newScore=*/{}, terms.allowed);
  AffineExpr k = b.getAffineDimExpr(2);
  AffineMap tileMap = layout.map(3, queryDim(), k);
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

/// sum of 0 x is 0, or NaN where any x is NaN or infinite.
Value FloatTiles::isFinite(Value tileValue) {
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

/// The weight of a masked pair is 0, but 0 * NaN is NaN: where V has a NaN or
/// an infinity, the mask decides which products there are.
Value FloatTiles::accumulated(Value accumulator, const Terms &terms) {
  if (!terms.allowed)
    return accumulatedProduct(accumulator, terms);
  return branch(
      isFinite(terms.values.tile), accumulator.getType(),
      [&] { return accumulatedProduct(accumulator, terms); },
      [&] { return accumulatedWhereAllowed(accumulator, terms); });
}

/// Whatever is left after a second run is the result.
Value FloatTiles::isTrusted(const SoftmaxState &state, Value /*rows*/,
                            Type /*type*/) {
  Value finite = isFinite(state.accumulator);
  if (!state.isAgain)
    return finite;
  return arith::OrIOp::create(b, loc, finite, state.isAgain);
}
