//===- VerifyValues.cpp - Values of tiles, element by element -------------===//
//--------------===//

#include "FormVerifier.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

Variation FormVerifier::variationOf(Value value) const {
  if (!isa<VectorType>(value.getType()) || matchPattern(value, m_Constant()))
    return {};
  auto known = variations.find(value);
  return known == variations.end() ? Variation{true, true} : known->second;
}

LogicalResult FormVerifier::verifyPrivate(Operation *op, Value value) {
  if (!variationOf(value).isShared)
    return success();
  return op->emitOpError("takes a tile that is in shared memory, as the right "
                         "operand of a product, to where threads hold tiles of "
                         "their own; read it another time for that");
}

LogicalResult FormVerifier::verifyBroadcast(vector::BroadcastOp op) {
  Variation source = variationOf(op.getSource());
  auto type = dyn_cast<VectorType>(op.getSourceType());
  if (type && type.getRank() < op.getResultVectorType().getRank())
    source = {false, source.first};
  variations[op.getVector()] = source;
  return verifyPrivate(op, op.getSource());
}

LogicalResult FormVerifier::verifyTranspose(vector::TransposeOp op) {
  Variation source = variationOf(op.getVector());
  if (source.first && source.last)
    return op.emitOpError("moves the elements of a whole tile, which threads "
                          "would have to exchange; only a value that is one "
                          "along rows or one along columns can be transposed");
  variations[op.getResult()] = {source.last, source.first};
  return success();
}

LogicalResult FormVerifier::verifyElementwise(Operation *op) {
  Variation result;
  bool isMixed = false;
  for (Value operand : op->getOperands()) {
    Variation variation = variationOf(operand);
    isMixed |= !variation.isShared && !variation.isUniform();
    result.first |= variation.first;
    result.last |= variation.last;
    result.isShared |= variation.isShared;
  }
  if (result.isShared && isMixed)
    return op->emitOpError(
        "joins a tile in shared memory, the right operand of "
        "a product, with one that threads hold; read it "
        "another time for that");
  variations[op->getResult(0)] = result;
  return success();
}
