//===- AttentionTiling.cpp - TilingInterface of attention -----------------===//
//
// The iteration domain is (batch, query head, query row): all parallel. Keys
// are not a loop of the op; online softmax over key tiles is the business of
// the tile-to-linalg pass. Tiling heads needs tiles that do not cut a group of
// query heads that share a key head in an unaligned way, so it is limited to
// the cases that can be written: see `keyHeads`.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;

SmallVector<utils::IteratorType> AttentionOp::getLoopIteratorTypes() {
  return SmallVector<utils::IteratorType>(3, utils::IteratorType::parallel);
}

SmallVector<mlir::Range> AttentionOp::getIterationDomain(OpBuilder &b) {
  SmallVector<OpFoldResult> sizes =
      isa<RankedTensorType>(getQuery().getType())
          ? tensor::getMixedSizes(b, getLoc(), getQuery())
          : memref::getMixedSizes(b, getLoc(), getQuery());
  SmallVector<mlir::Range> domain;
  for (unsigned dim = 0; dim < 3; ++dim)
    domain.push_back({b.getIndexAttr(0), sizes[dim], b.getIndexAttr(1)});
  return domain;
}

static Value sliceOf(OpBuilder &b, Location loc, Value source,
                     ArrayRef<OpFoldResult> offsets,
                     ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, loc, source, offsets, sizes,
                                        strides);
}

/// The key heads of the query heads [head, head + count): offset and size.
///
///   all query heads            -> all key heads
///   one head a key head (MHA)  -> the same range
///   one query head             -> head floordiv group
static FailureOr<std::pair<OpFoldResult, OpFoldResult>>
keyHeads(OpBuilder &b, AttentionOp op, OpFoldResult head, OpFoldResult count) {
  OpFoldResult hq = tensor::getMixedSize(b, op.getLoc(), op.getQuery(), 1);
  OpFoldResult hkv = tensor::getMixedSize(b, op.getLoc(), op.getKey(), 1);
  if (isEqualConstantIntOrValue(count, hq))
    return std::pair(OpFoldResult(b.getIndexAttr(0)), hkv);
  std::optional<int64_t> hqStatic = getConstantIntValue(hq);
  std::optional<int64_t> hkvStatic = getConstantIntValue(hkv);
  if (!hqStatic || !hkvStatic)
    return failure();
  int64_t group = *hqStatic / *hkvStatic;
  if (group == 1)
    return std::pair(head, count);
  AffineExpr h = b.getAffineDimExpr(0);
  OpFoldResult first = affine::makeComposedFoldedAffineApply(
      b, op.getLoc(), AffineMap::get(1, 0, h.floorDiv(group)), {head});
  std::optional<int64_t> countStatic = getConstantIntValue(count);
  if (countStatic == 1)
    return std::pair(first, OpFoldResult(b.getIndexAttr(1)));
  return failure();
}

/// The values `origin(%head, %position)` of a tile that starts at `offsets`,
/// (batch, head, row): the op's own origin, or (0, Sk - Sq), plus the offset.
/// Where there is data, `origin(%batch, %head, %row, %queries)`: the op's own,
/// or (0, 0, 0, Sq).
static SmallVector<Value> tileOrigin(OpBuilder &b, AttentionOp op,
                                     ArrayRef<OpFoldResult> offsets) {
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> origin = getAsOpFoldResult(op.getOrigin());
  AffineExpr x = b.getAffineDimExpr(0), y = b.getAffineDimExpr(1);
  OpFoldResult zero = b.getIndexAttr(0);
  auto length = [&](Value source) {
    return tensor::getMixedSize(b, loc, source, 2);
  };
  if (origin.empty() && op.isPlacedByRow()) {
    origin = {zero, zero, zero, length(op.getQuery())};
  } else if (origin.empty()) {
    OpFoldResult keys = length(op.getKey());
    origin = {zero, affine::makeComposedFoldedAffineApply(
                        b, loc, AffineMap::get(2, 0, x - y),
                        {keys, length(op.getQuery())})};
  }
  if (!op.isPlacedByRow())
    offsets = offsets.drop_front();
  AffineMap sum = AffineMap::get(2, 0, x + y);
  for (auto [place, offset] : llvm::zip(origin, offsets))
    place = affine::makeComposedFoldedAffineApply(b, loc, sum, {place, offset});
  return getValueOrCreateConstantIndexOp(b, loc, origin);
}

FailureOr<TilingResult>
AttentionOp::getTiledImplementation(OpBuilder &b,
                                    ArrayRef<OpFoldResult> offsets,
                                    ArrayRef<OpFoldResult> sizes) {
  Location loc = getLoc();
  if (!isa<RankedTensorType>(getQuery().getType()))
    return emitOpError("on memrefs cannot be tiled; tile it before "
                       "bufferization");
  auto heads = keyHeads(b, *this, offsets[1], sizes[1]);
  if (failed(heads))
    return emitOpError("can be tiled along query heads only by one head, by "
                       "all heads, or where every query head has its own key "
                       "head");
  OpFoldResult zero = b.getIndexAttr(0);
  auto dim = [&](Value v, unsigned d) {
    return tensor::getMixedSize(b, loc, v, d);
  };
  auto rows = [&](Value source) {
    SmallVector<OpFoldResult> offset(offsets.begin(), offsets.end());
    SmallVector<OpFoldResult> size(sizes.begin(), sizes.end());
    if (cast<ShapedType>(source.getType()).getRank() == 4) {
      offset.push_back(zero);
      size.push_back(dim(source, 3));
    }
    return sliceOf(b, loc, source, offset, size);
  };
  // All tiles have the whole pool of pages.
  bool isPaged = bool(getDataOperand(kPageTable));
  auto keys = [&](Value source) {
    OpFoldResult first = isPaged ? zero : offsets[0];
    OpFoldResult count = isPaged ? dim(source, 0) : sizes[0];
    return sliceOf(b, loc, source, {first, heads->first, zero, zero},
                   {count, heads->second, dim(source, 2), dim(source, 3)});
  };
  SmallVector<Value> inits;
  for (Value init : getInits())
    inits.push_back(rows(init));
  Value query = rows(getQuery()), key = keys(getKey()),
        value = keys(getValue());
  AttentionOp tiled =
      createLike(b, TypeRange(ValueRange(inits)), query, key, value, getData(),
                 tileOrigin(b, *this, offsets), inits);
  tiled.setScaleAttr(b.getF64FloatAttr(getScaleValue()));
  tiled.removePlanAttr();
  SmallVector<Operation *> slices;
  for (Value operand : {query, key, value})
    slices.push_back(operand.getDefiningOp());
  for (Value init : inits)
    slices.push_back(init.getDefiningOp());
  return TilingResult{{tiled}, SmallVector<Value>(tiled->getResults()), slices};
}

LogicalResult AttentionOp::getResultTilePosition(
    OpBuilder &b, unsigned resultNumber, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  if (resultNumber == 0) {
    resultOffsets.push_back(b.getIndexAttr(0));
    resultSizes.push_back(b.getIndexAttr(getValueType().getDimSize(3)));
  }
  return success();
}

FailureOr<TilingResult>
AttentionOp::generateResultTileValue(OpBuilder &b, unsigned resultNumber,
                                     ArrayRef<OpFoldResult> offsets,
                                     ArrayRef<OpFoldResult> sizes) {
  // A slice of the output along Dv computes whole rows: Dv is not a loop here.
  if (resultNumber == 0 &&
      (!isConstantIntValue(offsets[3], 0) ||
       getConstantIntValue(sizes[3]) != getValueType().getDimSize(3)))
    return failure();
  FailureOr<TilingResult> tiled =
      getTiledImplementation(b, offsets.take_front(3), sizes.take_front(3));
  if (failed(tiled))
    return failure();
  tiled->tiledValues = {tiled->tiledValues[resultNumber]};
  return tiled;
}
