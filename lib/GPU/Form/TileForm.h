//===- TileForm.h - What GPU passes take for granted ------------*- C++ -*-===//
//
// GPU passes work on tile programs: what --sparse-attn-verify-gpu-form checks.
// A pass that finds something else says only that the check was left out.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_FORM_TILEFORM_H
#define SPARSEATTN_LIB_GPU_FORM_TILEFORM_H

#include "TileRead.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn::kernels {

/// Whether a product takes a tile on one side.
enum class Side { Left, Right };

/// True for a use that a tile has which products take on one side: by a product
/// there, or, on the right, by what looks at all of the tile or at a row.
bool isUseOnSide(OpOperand &use, Side side);

/// True for a read of whole rows from memory that products take as their left
/// or right operand, and whose other uses that side allows: a right operand is
/// in shared memory.
bool isOperand(TileRead read, Side side);

/// Whether a transfer moves whole rows of a buffer, of which the last may be
/// missing.
bool movesWholeRows(VectorTransferOpInterface op);

/// Whether products can take a tile from shared memory: a multiple of 16 rows
/// of a multiple of 8 elements.
bool hasPanels(VectorType tile);

/// Copies to shared memory start at a buffer's first element.
bool startsBuffer(vector::TransferReadOp read);

/// Copies to shared memory fill with zeros behind the end.
bool isZeroPadded(vector::TransferReadOp read);

/// Whether it is A B or A B^T, added to something.
bool isMatrixProduct(vector::ContractionOp op);

/// The error of passes at what --sparse-attn-verify-gpu-form refuses.
LogicalResult emitNotInForm(Operation *op);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FORM_TILEFORM_H
