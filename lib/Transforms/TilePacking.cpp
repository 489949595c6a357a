//===- TilePacking.cpp - Slices of tensors as tiles -----------------------===//

#include "TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;

Value transforms::toF32(OpBuilder &b, Location loc, Value x) {
  if (x.getType().isF32())
    return x;
  return arith::ExtFOp::create(b, loc, b.getF32Type(), x);
}

Value transforms::firstRows(OpBuilder &b, Location loc, Value tileValue,
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
