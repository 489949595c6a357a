//===- TileForm.cpp - What GPU passes take for granted --------------------===//

#include "TileForm.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

bool kernels::isUseOnSide(OpOperand &use, Side side) {
  Operation *user = use.getOwner();
  if (isa<vector::ContractionOp>(user))
    return use.getOperandNumber() == (side == Side::Left ? 0 : 1);
  return side == Side::Right && (isa<vector::ExtractOp>(user) ||
                                 OpTrait::hasElementwiseMappableTraits(user));
}

bool kernels::isOperand(TileRead read, Side side) {
  auto transfer = dyn_cast<vector::TransferReadOp>(read.getOperation());
  return read.getType().getRank() == 2 &&
         isa<MemRefType>(read.getSource().getType()) &&
         (!transfer || transfer.getPermutationMap().isIdentity()) &&
         llvm::all_of(read->getUses(),
                      [&](OpOperand &use) { return isUseOnSide(use, side); }) &&
         llvm::any_of(read->getUsers(), llvm::IsaPred<vector::ContractionOp>);
}

bool kernels::movesWholeRows(VectorTransferOpInterface op) {
  VectorType type = op.getVectorType();
  return isa<MemRefType>(op.getShapedType()) && !op.getMask() &&
         op.getPermutationMap().isIdentity() && type.getRank() <= 2 &&
         (type.getRank() == 1 || op.isDimInBounds(1));
}

bool kernels::hasPanels(VectorType tile) {
  return tile.getDimSize(0) % 16 == 0 && tile.getDimSize(1) % 8 == 0;
}

bool kernels::startsBuffer(vector::TransferReadOp read) {
  return llvm::all_of(read.getIndices(), [](Value index) {
    return matchPattern(index, m_Zero());
  });
}

bool kernels::isZeroPadded(vector::TransferReadOp read) {
  return !read.hasOutOfBoundsDim() ||
         matchPattern(read.getPadding(), m_AnyZeroFloat());
}

bool kernels::isMatrixProduct(vector::ContractionOp op) {
  AffineExpr m, n, k;
  bindDims(op.getContext(), m, n, k);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  auto isMap = [&](unsigned i, AffineExpr x, AffineExpr y) {
    return maps[i] == AffineMap::get(3, 0, {x, y}, op.getContext());
  };
  return op.getKind() == vector::CombiningKind::ADD && isMap(0, m, k) &&
         (isMap(1, n, k) || isMap(1, k, n)) && isMap(2, m, n);
}

LogicalResult kernels::emitNotInForm(Operation *op) {
  return op->emitOpError("is not of the form that kernels are made of; "
                         "'sparse-attn-verify-gpu-form' says what is wrong");
}
