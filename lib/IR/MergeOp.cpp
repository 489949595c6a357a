//===- MergeOp.cpp - sparse_attn.merge ------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

/// Checks an output [B, Hq, Sq, Dv] and its log-sum-exp [B, Hq, Sq], the sizes
/// of which are those of the destination as far as they are known.
static LogicalResult verifyPair(MergeOp op, StringRef name, Value output,
                                Value lse) {
  auto type = cast<RankedTensorType>(output.getType());
  auto lseType = cast<RankedTensorType>(lse.getType());
  auto place = cast<RankedTensorType>(op.getOutputInit().getType());
  Type element = type.getElementType();
  if (!element.isF16() && !element.isBF16() && !element.isF32())
    return op.emitOpError() << "element type of the " << name
                            << " must be f16, bf16 or f32, got " << element;
  if (element != place.getElementType())
    return op.emitOpError()
           << "outputs and destination must share one element "
           << "type, got " << element << " for the " << name << " and "
           << place.getElementType() << " for the destination";
  if (type.getRank() != 4 || type.isDynamicDim(3))
    return op.emitOpError() << name << " must be [batch, query heads, queries, "
                            << "value head size], the last of them static, "
                            << "got " << type;
  if (lseType.getRank() != 3 || !lseType.getElementType().isF32())
    return op.emitOpError() << "log-sum-exp of the " << name
                            << " must be [batch, query heads, queries] of f32, "
                            << "got " << lseType;
  if (failed(verifyCompatibleShape(type, place)) ||
      failed(verifyCompatibleShape(lseType.getShape(),
                                   place.getShape().take_front(3))))
    return op.emitOpError()
           << "sizes of the " << name << " (" << type << " with " << lseType
           << ") differ from those of the destination, " << place;
  return success();
}

LogicalResult MergeOp::verify() {
  auto place = cast<RankedTensorType>(getOutputInit().getType());
  if (failed(verifyPair(*this, "destination", getOutputInit(), getLseInit())))
    return failure();
  if (failed(verifyPair(*this, "first output", getFirst(), getFirstLse())) ||
      failed(verifyPair(*this, "second output", getSecond(), getSecondLse())))
    return failure();
  if (place.getDimSize(2) >= maxSequenceLength)
    return emitOpError() << "sequences must be shorter than "
                         << maxSequenceLength << ", got " << place;
  return success();
}

LogicalResult
MergeOp::reifyResultShapes(OpBuilder &b,
                           ReifiedRankedShapedTypeDims &reifiedReturnShapes) {
  for (Value init : getDpsInits())
    reifiedReturnShapes.push_back(tensor::getMixedSizes(b, getLoc(), init));
  return success();
}
