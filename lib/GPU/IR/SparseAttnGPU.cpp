//===- SparseAttnGPU.cpp - The sparse_attn_gpu dialect --------------------===//

#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn::kernels;

#include "SparseAttn/GPU/IR/SparseAttnGPUDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "SparseAttn/GPU/IR/SparseAttnGPUTypes.cpp.inc"

#define GET_OP_CLASSES
#include "SparseAttn/GPU/IR/SparseAttnGPUOps.cpp.inc"

void SparseAttnGPUDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "SparseAttn/GPU/IR/SparseAttnGPUTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "SparseAttn/GPU/IR/SparseAttnGPUOps.cpp.inc"
      >();
}

static LogicalResult verifyMemory(Operation *op, Value memory) {
  auto type = cast<MemRefType>(memory.getType());
  if (!type.getElementType().isInteger(8) ||
      !gpu::GPUDialect::hasWorkgroupMemoryAddressSpace(type))
    return op->emitOpError("takes bytes of shared memory, a memref of i8 in "
                           "#gpu.address_space<workgroup>, got ")
           << type;
  return success();
}

/// What SharedLayout can hold: rows of whole 32-byte panels, in groups of the
/// eight rows after which its permutation repeats.
static LogicalResult verifyTile(Operation *op, int64_t rows, int64_t columns,
                                Type element) {
  if (!element.isF16() && !element.isBF16() && !element.isF32())
    return op->emitOpError("holds tiles of f16, bf16 or f32, got ") << element;
  int64_t rowBytes = columns * element.getIntOrFloatBitWidth() / 8;
  if (ShapedType::isDynamic(columns) || rowBytes == 0 || rowBytes % 32 != 0 ||
      rows % 8 != 0)
    return op->emitOpError("holds tiles of a multiple of 8 rows, each of a "
                           "multiple of 32 bytes, got ")
           << rows << " rows of "
           << (ShapedType::isDynamic(columns) ? "?" : std::to_string(columns))
           << " elements of " << element;
  return success();
}

LogicalResult StageOp::verify() {
  MemRefType type = getSourceType();
  if (failed(verifyMemory(*this, getMemory())) ||
      failed(verifyTile(*this, getRows(), type.getDimSize(1),
                        type.getElementType())))
    return failure();
  // Threads copy 16 bytes at a time.
  if (type.getStridesAndOffset().first[1] != 1)
    return emitOpError("copies rows whose elements are side by side, got ")
           << type;
  return success();
}

LogicalResult WaitOp::verify() {
  if (getTokens().empty())
    return emitOpError("needs a token to wait for");
  return success();
}

LogicalResult StagedTileOp::verify() {
  VectorType type = getTileType();
  if (failed(verifyMemory(*this, getMemory())))
    return failure();
  return verifyTile(*this, type.getDimSize(0), type.getDimSize(1),
                    type.getElementType());
}
