//===- SparseAttnGPU.cpp - The sparse_attn_gpu dialect --------------------===//

#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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

/// A tensor map has at most so many dimensions.
static constexpr int64_t kMaxMapRank = 5;
static constexpr int64_t kMaxBox = 256;

static LogicalResult verifyMemory(Operation *op, Value memory) {
  auto type = cast<MemRefType>(memory.getType());
  if (!type.getElementType().isInteger(8) ||
      !gpu::GPUDialect::hasWorkgroupMemoryAddressSpace(type))
    return op->emitOpError("takes bytes of shared memory, a memref of i8 in "
                           "#gpu.address_space<workgroup>, got ")
           << type;
  return success();
}

/// What products take from a SharedLayout: columns in groups of eight, rows in
/// groups of the eight after which its permutation repeats.
static LogicalResult verifyTile(Operation *op, int64_t rows, int64_t columns,
                                Type element) {
  if (!element.isF16() && !element.isBF16() && !element.isF32())
    return op->emitOpError("holds tiles of f16, bf16 or f32, got ") << element;
  if (ShapedType::isDynamic(columns) || columns == 0 || columns % 8 != 0 ||
      rows % 8 != 0)
    return op->emitOpError("holds tiles of a multiple of 8 rows, each of a "
                           "multiple of 8 elements, got ")
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

LogicalResult StageOp::verifyRegions() {
  if (!hasPosition())
    return success();
  Block &block = getPosition().front();
  if (block.getArgumentTypes() != TypeRange{IntegerType::get(getContext(), 32)})
    return emitOpError("has a region that takes the number of a row, an i32");
  if (!block.mightHaveTerminator() || !isa<YieldOp>(block.getTerminator()))
    return emitOpError("has a region that yields the row of the source, an "
                       "i32");
  return success();
}

LogicalResult RingType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t slots) {
  if (slots < 2)
    return emitError() << "a ring has at least 2 slots, got " << slots;
  return success();
}

LogicalResult RingOp::verify() { return verifyMemory(*this, getMemory()); }

LogicalResult WaitOp::verify() {
  if (getTokens().empty())
    return emitOpError("needs a token to wait for");
  if (!getRing() != !getNumber())
    return emitOpError("names a ring without the number of a tile, or the "
                       "other way round");
  return success();
}

LogicalResult LiveRowsOp::verify() {
  if (!getFullBegin() != !getFullEnd())
    return emitOpError("has a begin of its full rows without an end, or the "
                       "other way round");
  return success();
}

LogicalResult StagedTileOp::verify() {
  VectorType type = getTileType();
  if (failed(verifyMemory(*this, getMemory())))
    return failure();
  return verifyTile(*this, type.getDimSize(0), type.getDimSize(1),
                    type.getElementType());
}

/// What the driver and the copy unit take: CUDA's manual of
/// cuTensorMapEncodeTiled.
LogicalResult TensorMapOp::verify() {
  MemRefType type = getSourceType();
  Type element = type.getElementType();
  if (!element.isF16() && !element.isBF16() && !element.isF32())
    return emitOpError("describes buffers of f16, bf16 or f32, got ") << type;
  if (type.getRank() < 1 || type.getRank() > kMaxMapRank)
    return emitOpError("describes buffers of 1 to ")
           << kMaxMapRank << " dimensions, got " << type;
  auto [strides, offset] = type.getStridesAndOffset();
  if (offset != 0 || strides.back() != 1)
    return emitOpError("describes buffers that start at their pointer and have "
                       "the elements of a row side by side, got ")
           << type;
  if (static_cast<int64_t>(getBox().size()) != type.getRank() ||
      llvm::any_of(getBox(), [](int64_t n) { return n < 1 || n > kMaxBox; }))
    return emitOpError("has a box of [")
           << getBox() << "]; it has a size from 1 to " << kMaxBox
           << " for each of " << type.getRank() << " dimensions";
  auto swizzle = static_cast<int64_t>(getSwizzle());
  if (!llvm::is_contained({0, 32, 64, 128}, swizzle))
    return emitOpError("has a swizzle of ")
           << swizzle << " bytes; there are 0, 32, 64 and 128";
  int64_t rowBytes = getBox().back() * element.getIntOrFloatBitWidth() / 8;
  if (rowBytes % 16 != 0 || (swizzle != 0 && rowBytes > swizzle))
    return emitOpError("has a box with rows of ")
           << rowBytes
           << " bytes; they are multiples of 16, and no longer than the "
              "swizzle";
  return success();
}
