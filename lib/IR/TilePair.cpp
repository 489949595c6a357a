//===- TilePair.cpp - Slices of operands for a tile pair ------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;

Value mlir::sparse_attn::sliceRows(OpBuilder &b, Location loc, Value source,
                                   ArrayRef<Value> lead, Value row, Value rows,
                                   int64_t step) {
  return sliceTile(b, loc, source, lead, row, rows, /*column=*/Value(),
                   /*columns=*/0, step);
}

/// The slice of `rows` elements along dimension `dim`, `step` apart, from the
/// place `first` on; behind these dimensions the columns that `sliceTile`
/// takes.
static Value sliceAlong(OpBuilder &b, Location loc, Value source, unsigned dim,
                        ArrayRef<Value> first, Value rows, Value column,
                        int64_t columns, int64_t step) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<OpFoldResult> offsets = getAsOpFoldResult(first);
  SmallVector<OpFoldResult> sizes(first.size(), b.getIndexAttr(1));
  sizes[dim] = getAsOpFoldResult(rows);
  SmallVector<int64_t> shape = {
      getConstantIntValue(rows).value_or(ShapedType::kDynamic)};
  for (int64_t next = offsets.size(); next < type.getRank(); ++next) {
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(type.getDimSize(next)));
    shape.push_back(type.getDimSize(next));
  }
  if (column) {
    offsets.back() = getAsOpFoldResult(column);
    sizes.back() = b.getIndexAttr(columns);
    shape.back() = columns;
  }
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  strides[dim] = b.getIndexAttr(step);
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), source,
      offsets, sizes, strides);
}

Value mlir::sparse_attn::sliceTile(OpBuilder &b, Location loc, Value source,
                                   ArrayRef<Value> lead, Value row, Value rows,
                                   Value column, int64_t columns,
                                   int64_t step) {
  SmallVector<Value> first(lead);
  first.push_back(row);
  return sliceAlong(b, loc, source, lead.size(), first, rows, column, columns,
                    step);
}

Value mlir::sparse_attn::sliceQueries(OpBuilder &b, Location loc, Value source,
                                      const QueryTile &at, Value rows,
                                      Value column, int64_t columns) {
  return sliceAlong(b, loc, source, /*dim=*/at.hasPackedHeads ? 1 : 2,
                    {at.batch, at.head, at.row}, rows, column, columns,
                    at.step);
}

Value mlir::sparse_attn::loadRows(OpBuilder &b, Location loc, Value source,
                                  ArrayRef<Value> lead, const KeyTile &keys) {
  if (!keys.positions)
    return sliceRows(b, loc, source, lead, keys.row ? keys.row : keys.key,
                     keys.rows, keys.step);
  return GatherRowsOp::create(b, loc, source, lead, keys.positions);
}

Value mlir::sparse_attn::sliceTrailing(OpBuilder &b, Location loc, Value source,
                                       ValueRange lead) {
  auto type = cast<RankedTensorType>(source.getType());
  ArrayRef<int64_t> shape = type.getShape().drop_front(lead.size());
  SmallVector<OpFoldResult> offsets = getAsOpFoldResult(lead);
  SmallVector<OpFoldResult> sizes(lead.size(), b.getIndexAttr(1));
  for (int64_t size : shape) {
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(size));
  }
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), source,
      offsets, sizes, strides);
}

Value mlir::sparse_attn::numRows(OpBuilder &b, Location loc, Value tile) {
  if (std::optional<int64_t> rows =
          staticDim(cast<ShapedType>(tile.getType()), 0))
    return arith::ConstantIndexOp::create(b, loc, *rows);
  // Upstream does not fold the size of a slice of lower rank.
  if (auto slice = tile.getDefiningOp<tensor::ExtractSliceOp>()) {
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    int kept = dropped.find_first_unset();
    return getValueOrCreateConstantIndexOp(b, loc, slice.getMixedSizes()[kept]);
  }
  return b.createOrFold<tensor::DimOp>(loc, tile, 0);
}

SmallVector<NamedTensor> mlir::sparse_attn::nameTensors(Value query, Value key,
                                                        ValueRange inits,
                                                        ValueRange results) {
  SmallVector<NamedTensor> tensors = {{query, "query"},
                                      {key, "key", /*hasKeysShape=*/true}};
  for (Value output : llvm::concat<Value>(inits, results))
    tensors.push_back({output, "output"});
  return tensors;
}
