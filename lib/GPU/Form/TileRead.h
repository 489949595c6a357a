//===- TileRead.h - Reads of tiles from memory ------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_FORM_TILEREAD_H
#define SPARSEATTN_LIB_GPU_FORM_TILEREAD_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn::kernels {

/// An operation that reads a vector from a buffer: neighbouring rows
/// (vector.transfer_read), or a tile of rows by their numbers
/// (sparse_attn.read_rows).
class TileRead {
public:
  TileRead() = default;
  /// Null where `op` is neither.
  explicit TileRead(Operation *op);
  /// What makes `value`; null where that reads nothing.
  static TileRead of(Value value) { return TileRead(value.getDefiningOp()); }

  explicit operator bool() const { return op != nullptr; }
  Operation *operator->() const { return op; }
  Operation *getOperation() const { return op; }
  Value getResult() const { return op->getResult(0); }
  VectorType getType() const { return cast<VectorType>(getResult().getType()); }
  int64_t getRows() const { return getType().getDimSize(0); }
  Value getSource() const;
  /// The numbers of the rows, a vector of i32; null where rows are neighbours.
  Value getPositions() const;

  /// Whether products can take what is read from shared memory, as far as the
  /// read itself says: whole rows from a buffer's first element on, zero
  /// behind its end.
  bool isStageable() const;

private:
  vector::TransferReadOp getTransfer() const {
    return dyn_cast<vector::TransferReadOp>(op);
  }

  Operation *op = nullptr;
};

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FORM_TILEREAD_H
