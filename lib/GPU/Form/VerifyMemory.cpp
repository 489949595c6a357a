//===- VerifyMemory.cpp - Reads and writes of tiles -----------------------===//

#include "Elements.h"
#include "FormVerifier.h"
#include "TileForm.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static LogicalResult verifyTileRows(Operation *op, VectorType type) {
  if (type.getRank() != 2 || type.getDimSize(0) % 16 == 0)
    return success();
  return op->emitOpError("moves a tile of ")
         << type.getDimSize(0)
         << " rows; tiles in memory have a multiple of 16: choose such tiles "
            "of queries and keys";
}

LogicalResult FormVerifier::verifyTransfer(VectorTransferOpInterface op) {
  VectorType type = op.getVectorType();
  if (!movesWholeRows(op))
    return op->emitOpError("does not move whole rows of a buffer, as they lie "
                           "there");
  return verifyTileRows(op, type);
}

static LogicalResult verifyElement(Operation *op, VectorType type) {
  Type element = type.getElementType();
  if (element.isF16() || element.isBF16() || element.isF32())
    return success();
  return op->emitOpError("reads a tile of ")
         << element
         << " for a product; operands of products are f16, bf16 or f32";
}

LogicalResult FormVerifier::verifyOperand(vector::TransferReadOp op) {
  if (failed(verifyElement(op, op.getVectorType())))
    return failure();
  if (!startsBuffer(op))
    return op.emitOpError("reads a tile for a product from within a buffer; "
                          "take a memref.subview that starts with the tile");
  if (!isZeroPadded(op))
    return op.emitOpError("is padded with a value other than zero; pad tiles "
                          "that products take with zeros");
  return success();
}

/// Whether products take it as their right operand, and what else uses it takes
/// it so as well or as their left one, which gets a read of its own.
static bool isRightOperand(Operation *op) {
  bool isRight = false;
  for (OpOperand &use : op->getUses()) {
    bool isOnRight = isUseOnSide(use, Side::Right);
    if (!isOnRight && !isUseOnSide(use, Side::Left))
      return false;
    isRight |= isOnRight && isa<vector::ContractionOp>(use.getOwner());
  }
  return isRight;
}

LogicalResult FormVerifier::verifyRead(vector::TransferReadOp op) {
  if (failed(verifyTransfer(op)))
    return failure();
  bool isTile = op.getVectorType().getRank() == 2;
  bool isShared = isTile && isRightOperand(op);
  variations[op.getResult()] = {true, isTile, isShared};
  bool isOfProducts =
      llvm::any_of(op->getUsers(), llvm::IsaPred<vector::ContractionOp>);
  return isOfProducts ? verifyOperand(op) : success();
}

/// Threads copy such rows into shared memory, and have no other way to them.
LogicalResult FormVerifier::verifyReadRows(ReadRowsOp op) {
  VectorType type = op.getVectorType();
  if (failed(verifyTileRows(op, type)) || failed(verifyElement(op, type)))
    return failure();
  if (llvm::any_of(op->getUses(), [](OpOperand &use) {
        return !isUseOnSide(use, Side::Left) && !isUseOnSide(use, Side::Right);
      }))
    return op.emitOpError("reads rows by their numbers for a use that is none "
                          "of an operand of a product; threads copy such rows "
                          "for products only");
  if (Operation *whole = findWhole(op.getPositions(), op)) {
    InFlightDiagnostic error =
        op.emitOpError("takes numbers of rows that threads cannot compute one "
                       "by one; compute them from vector.step, or read them "
                       "from a buffer");
    if (whole != op.getOperation())
      error.attachNote(whole->getLoc()) << "by this operation";
    return error;
  }
  variations[op.getResult()] = {true, true, isRightOperand(op)};
  return success();
}

LogicalResult FormVerifier::verifyWrite(vector::TransferWriteOp op) {
  return success(succeeded(verifyPrivate(op, op.getVector())) &&
                 succeeded(verifyTransfer(op)));
}

/// A thread writes what it holds of each of its rows, whose number it has.
LogicalResult FormVerifier::verifyWriteRows(WriteRowsOp op) {
  auto type = dyn_cast<VectorType>(op.getSource().getType());
  if (!type || !isa<VectorType>(op.getPositions().getType()))
    return op.emitOpError("takes a tile or its rows' numbers from a buffer; "
                          "read them as vectors");
  return success(succeeded(verifyPrivate(op, op.getSource())) &&
                 succeeded(verifyPrivate(op, op.getPositions())) &&
                 succeeded(verifyTileRows(op, type)));
}

LogicalResult FormVerifier::verifyGather(vector::GatherOp op) {
  if (!matchPattern(op.getMask(), m_One()))
    return op.emitOpError("has a mask; read everything, and select");
  variations[op.getResult()] = variationOf(op.getIndices());
  return verifyPrivate(op, op.getIndices());
}

LogicalResult FormVerifier::verifyRow(vector::ExtractOp op) {
  if (!variationOf(op.getSource()).isShared || op.getNumIndices() != 1)
    return op.emitOpError("does not take a row of a tile that is the right "
                          "operand of a product; threads hold elements of many "
                          "rows of others");
  variations[op.getResult()] = {true, false};
  return success();
}
