//===- VerifyProducts.cpp - Products and reductions of tiles --------------===//

#include "FormVerifier.h"
#include "TileForm.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

LogicalResult FormVerifier::verifyProduct(vector::ContractionOp op) {
  if (!isMatrixProduct(op))
    return op.emitOpError("is not a sum of a matrix and a product A B or A B^T "
                          "of two others");
  VectorType left = op.getLhsType(), right = op.getRhsType();
  if (!getElementTypeOrSelf(op.getResultType()).isF32())
    return op.emitOpError("multiplies ")
           << left << " and " << right << " into " << op.getResultType()
           << "; sums of products are f32";
  if (left.getDimSize(0) % 16 != 0)
    return op.emitOpError("multiplies ")
           << left << " and " << right
           << "; the left operand has a multiple of 16 rows";
  if (!TileRead::of(op.getRhs()) || !variationOf(op.getRhs()).isShared)
    return op.emitOpError("has a right operand that is not read from memory "
                          "for that, or for a use that is none of a right "
                          "operand besides; what threads hold can only be the "
                          "left one");
  // What is read for both sides will be read twice.
  bool isRead = bool(TileRead::of(op.getLhs()));
  if (!isRead && failed(verifyPrivate(op, op.getLhs())))
    return failure();
  variations[op.getResult()] = {true, true};
  return success();
}

LogicalResult FormVerifier::verifyReduction(vector::MultiDimReductionOp op) {
  // Whether a predicate holds everywhere: threads only agree.
  if (op.getType().isInteger(1) && op.getKind() == vector::CombiningKind::AND)
    return success();
  VectorType source = op.getSourceVectorType();
  if (source.getRank() != 2 || op.getReductionDims() != ArrayRef<int64_t>{1} ||
      !source.getElementType().isF32())
    return op.emitOpError("is neither of f32 along the columns of a tile nor "
                          "whether a predicate holds everywhere");
  variations[op.getResult()] = {true, false};
  return verifyPrivate(op, op.getSource());
}
