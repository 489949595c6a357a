//===- FormVerifier.h - Whether a loop is of the form of kernels *- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_FORM_FORMVERIFIER_H
#define SPARSEATTN_LIB_GPU_FORM_FORMVERIFIER_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn::kernels {

/// Along which of its dimensions a vector's elements differ, as far as its
/// operations say; and whether it is a tile in shared memory, or made of one,
/// which threads share out in another way than tiles of their own.
struct Variation {
  bool first = false, last = false;
  bool isShared = false;

  bool isUniform() const { return !first && !last; }
};

/// Checks the operations of one grid in their order.
class FormVerifier {
public:
  FormVerifier(scf::ForallOp grid) : grid(grid) {}

  /// Errors at the first operation that no rule shares out among the threads of
  /// a block.
  LogicalResult run();

private:
  LogicalResult verify(Operation *op);
  LogicalResult verifyTypes(Operation *op);
  LogicalResult verifyOrigins(Operation *op);
  LogicalResult verifyRule(Operation *op);
  LogicalResult verifyRead(vector::TransferReadOp op);
  LogicalResult verifyReadRows(ReadRowsOp op);
  LogicalResult verifyWrite(vector::TransferWriteOp op);
  LogicalResult verifyWriteRows(WriteRowsOp op);
  LogicalResult verifyTransfer(VectorTransferOpInterface op);
  LogicalResult verifyOperand(vector::TransferReadOp op);
  LogicalResult verifyProduct(vector::ContractionOp op);
  LogicalResult verifyReduction(vector::MultiDimReductionOp op);
  LogicalResult verifyTranspose(vector::TransposeOp op);
  LogicalResult verifyBroadcast(vector::BroadcastOp op);
  LogicalResult verifyRow(vector::ExtractOp op);
  LogicalResult verifyGather(vector::GatherOp op);
  LogicalResult verifyElementwise(Operation *op);
  /// `value` must not be in shared memory.
  LogicalResult verifyPrivate(Operation *op, Value value);

  /// Arguments and results of loops and branches vary in all dimensions.
  Variation variationOf(Value value) const;

  scf::ForallOp grid;
  DenseMap<Value, Variation> variations;
};

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FORM_FORMVERIFIER_H
