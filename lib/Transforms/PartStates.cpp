//===- PartStates.cpp - States that parts of a plan leave -----------------===//

#include "PartStates.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

PartStates::PartStates(OpBuilder &b, MaskedReductionOpInterface op, Value batch,
                       Value heads, Value rows, int64_t parts, Type state) {
  for (RankedTensorType type : op.getStateTensorTypes(state)) {
    SmallVector<OpFoldResult> sizes = {
        b.getIndexAttr(parts), getAsOpFoldResult(batch),
        getAsOpFoldResult(heads), getAsOpFoldResult(rows)};
    for (int64_t size : type.getShape().drop_front())
      sizes.push_back(b.getIndexAttr(size));
    tensors.push_back(
        tensor::EmptyOp::create(b, op.getLoc(), sizes, type.getElementType()));
  }
}

/// The slice [rows, ...], or, where `part` is null, [parts, rows, ...].
static Value sliceOf(OpBuilder &b, Location loc, Value tensor, Value part,
                     ValueRange ids, const QueryTile &at, int64_t rows) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> offsets, sizes,
      strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<int64_t> shape;
  offsets.push_back(part ? getAsOpFoldResult(part)
                         : OpFoldResult(b.getIndexAttr(0)));
  sizes.push_back(b.getIndexAttr(part ? 1 : type.getDimSize(0)));
  if (!part)
    shape.push_back(type.getDimSize(0));
  for (Value id : ids.take_front(2)) {
    offsets.push_back(getAsOpFoldResult(id));
    sizes.push_back(b.getIndexAttr(1));
  }
  offsets.push_back(getAsOpFoldResult(at.stateRow ? at.stateRow : at.row));
  sizes.push_back(b.getIndexAttr(rows));
  shape.push_back(rows);
  strides[3] = b.getIndexAttr(at.step);
  for (int64_t size : type.getShape().drop_front(4)) {
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(size));
    shape.push_back(size);
  }
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), tensor,
      offsets, sizes, strides);
}

SmallVector<Value> PartStates::slices(OpBuilder &b, Location loc,
                                      ValueRange tensors, Value part,
                                      ValueRange ids, const QueryTile &at,
                                      int64_t rows) {
  return llvm::map_to_vector(tensors, [&](Value tensor) {
    return sliceOf(b, loc, tensor, part, ids, at, rows);
  });
}
