//===- BufferPointers.h - Pointers into buffers -----------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_STAGING_BUFFERPOINTERS_H
#define SPARSEATTN_LIB_GPU_STAGING_BUFFERPOINTERS_H

#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::sparse_attn::kernels {

/// What a buffer of this type is lowered to, with these pointers: {allocated,
/// aligned, offset, sizes, strides}, the last two of which rank 0 has not.
LLVM::LLVMStructType descriptorType(MemRefType type, Type pointer);

/// The pointer that a buffer's offset is counted from, and that offset in
/// elements, null where it is 0.
std::pair<Value, Value> pointerAndOffset(OpBuilder &b, Location loc,
                                         Value memory);

/// Where rows of a buffer begin: `first` rows, null for 0, behind the element
/// `offset`, null for 0, that is counted from `pointer`.
struct RowsOfBuffer {
  Value pointer, offset, first;
};

/// Says where the rows of `memory` begin. It may be a view of neighbouring rows
/// of some matrix of a larger buffer: `offset` is that of the matrix then, if
/// `ofMatrix`. Other buffers are matrices of their own.
RowsOfBuffer rowsOfBuffer(OpBuilder &b, Location loc, Value memory,
                          bool ofMatrix);

/// The pointer to a buffer's first element.
Value pointerTo(OpBuilder &b, Location loc, Value memory);

/// The pointer to byte `offset` of a buffer in shared memory.
Value sharedPointer(OpBuilder &b, Location loc, Value memory, Value offset);

/// Loads the element `place` elements behind the one at `indices`, in row-major
/// order.
Value loadFlat(OpBuilder &b, Location loc, Value memory, ValueRange indices,
               Value place);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_STAGING_BUFFERPOINTERS_H
