//===- TileRead.cpp - Reads of tiles from memory --------------------------===//

#include "TileRead.h"
#include "TileForm.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

TileRead::TileRead(Operation *op)
    : op(isa_and_nonnull<vector::TransferReadOp, ReadRowsOp>(op) ? op
                                                                 : nullptr) {}

Value TileRead::getSource() const {
  if (auto rows = dyn_cast<ReadRowsOp>(op))
    return rows.getSource();
  return getTransfer().getBase();
}

Value TileRead::getPositions() const {
  auto rows = dyn_cast<ReadRowsOp>(op);
  return rows ? rows.getPositions() : Value();
}

bool TileRead::isStageable() const {
  vector::TransferReadOp transfer = getTransfer();
  return hasPanels(getType()) &&
         (!transfer || (startsBuffer(transfer) && isZeroPadded(transfer)));
}
