//===- TensorCoreProducts.cpp - Products on tensor cores ------------------===//

#include "TensorCoreTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;

/// Without bodies to read, the product is known for what it is: tensor cores
/// need no more, and widen the operands themselves.
Value TensorCoreTiles::product(ValueRange operands, ArrayRef<AffineMap> maps,
                               Value init) {
  return linalg::ContractOp::create(b, loc, init.getType(), operands, init,
                                    b.getAffineMapArrayAttr(maps))
      .getResult(0);
}

Value TensorCoreTiles::scores(Value keyTile, Value queryTile) {
  Value scores = TileOps::scores(keyTile, queryTile);
  if (scoreFactor == 1.0)
    return scores;
  return elementwise({}, scores, [&](OpBuilder &nested, ValueRange args) {
    return arith::MulFOp::create(nested, loc, args[0],
                                 scalar(nested, scoreFactor))
        .getResult();
  });
}

Value TensorCoreTiles::rounded(Value probabilities, Type type) {
  if (type.isF32())
    return probabilities;
  auto tileOfType = cast<RankedTensorType>(probabilities.getType()).clone(type);
  return elementwise({probabilities}, empty(tileOfType),
                     [&](OpBuilder &nested, ValueRange args) -> Value {
                       return arith::TruncFOp::create(nested, loc, type,
                                                      args[0]);
                     });
}

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

Value TensorCoreTiles::rescaled(Value factor, Value tileValue) {
  return elementwise(
      {factor}, tileValue, [&](OpBuilder &nested, ValueRange args) -> Value {
        return arith::MulFOp::create(nested, loc, args[1], args[0]);
      });
}

/// Tensor cores add to the accumulator they are given, which is rescaled
/// already.
Value TensorCoreTiles::accumulatedProduct(Value accumulator,
                                          const Terms &terms) {
  Value values = terms.values.tile;
  return valueProduct(values,
                      rounded(terms.weights, getElementTypeOrSelf(values)),
                      accumulator);
}

/// The same key by key:
///
///   for each key k that exists:  p = P[:, k],  A[q, :] += p[q] V[k, :]
///
/// for the rows q that see k, which are all without a mask.
Value TensorCoreTiles::accumulatedByKey(Value accumulator, const Terms &terms) {
  const ValueTile &values = terms.values;
  // They are as the product takes them, which is all that a thread keeps.
  Value probabilities =
      rounded(terms.weights, getElementTypeOrSelf(values.tile));
  auto accumulate = [&](OpBuilder &nested, Value key, Value sum) -> Value {
    TensorCoreTiles ops(nested, loc, step);
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
                       linalg::IndexOp::create(body, loc, layout.queryDim());
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
Value TensorCoreTiles::columnOf(Value tileValue, Value key) {
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
            nested, linalg::IndexOp::create(nested, loc, layout.otherDim()));
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
Value TensorCoreTiles::isPlain(const Terms &terms) {
  if (!step.exact)
    return {};
  Value values = terms.values.tile;
  if (getElementTypeOrSelf(values.getType()).isF32())
    return arith::AndIOp::create(b, loc, haveParts(values),
                                 haveParts(terms.weights));
  return terms.allowed ? isFinite(values) : Value();
}

Value TensorCoreTiles::accumulated(Value accumulator, const Terms &terms) {
  accumulator = rescaled(terms.alpha, accumulator);
  Value plain = isPlain(terms);
  if (!plain)
    return accumulatedProduct(accumulator, terms);
  return branch(
      plain, accumulator.getType(),
      [&] { return accumulatedProduct(accumulator, terms); },
      [&] { return accumulatedByKey(accumulator, terms); });
}
