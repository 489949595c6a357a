//===- BufferPointers.cpp - Pointers into buffers
//--------------------------===//

#include "BufferPointers.h"
#include "SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

/// Address spaces as NVVM numbers them.
static unsigned addressSpaceOf(MemRefType type) {
  auto space = dyn_cast_or_null<gpu::AddressSpaceAttr>(type.getMemorySpace());
  if (!space)
    return 0;
  return space.getValue() == gpu::AddressSpace::Workgroup ? 3 : 1;
}

LLVM::LLVMStructType kernels::descriptorType(MemRefType type, Type pointer) {
  Type i64 = IntegerType::get(type.getContext(), 64);
  SmallVector<Type> fields = {pointer, pointer, i64};
  if (type.getRank() > 0)
    fields.append(2, LLVM::LLVMArrayType::get(i64, type.getRank()));
  return LLVM::LLVMStructType::getLiteral(type.getContext(), fields);
}

/// From the descriptor that the buffer will be lowered to.
std::pair<Value, Value> kernels::pointerAndOffset(OpBuilder &b, Location loc,
                                                  Value memory) {
  auto type = cast<MemRefType>(memory.getType());
  MLIRContext *context = b.getContext();
  auto pointer = LLVM::LLVMPointerType::get(context, addressSpaceOf(type));
  Value fields = UnrealizedConversionCastOp::create(
                     b, loc, descriptorType(type, pointer), memory)
                     .getResult(0);
  Value aligned = LLVM::ExtractValueOp::create(b, loc, fields, 1);
  auto [strides, offset] = type.getStridesAndOffset();
  if (offset == 0)
    return {aligned, Value()};
  return {aligned, LLVM::ExtractValueOp::create(b, loc, fields, 2)};
}

/// The only dimension, but for the last, that a view of a matrix keeps of a
/// larger buffer.
static std::optional<unsigned> rowDimOf(memref::SubViewOp view) {
  if (!view || !view.hasUnitStride() || view.getType().getRank() != 2)
    return std::nullopt;
  llvm::SmallBitVector kept = view.getDroppedDims().flip();
  if (!kept.test(kept.size() - 1))
    return std::nullopt;
  return kept.find_first();
}

RowsOfBuffer kernels::rowsOfBuffer(OpBuilder &b, Location loc, Value memory,
                                   bool ofMatrix) {
  auto view = memory.getDefiningOp<memref::SubViewOp>();
  std::optional<unsigned> rowDim = rowDimOf(view);
  if (!rowDim || !ofMatrix) {
    auto [pointer, offset] = pointerAndOffset(b, loc, memory);
    return {pointer, offset, Value()};
  }
  auto toI64 = [&](OpFoldResult size) {
    Value index = getValueOrCreateConstantIndexOp(b, loc, size);
    return b.createOrFold<arith::IndexCastOp>(loc, b.getI64Type(), index);
  };
  auto [pointer, offset] = pointerAndOffset(b, loc, view.getSource());
  auto metadata =
      memref::ExtractStridedMetadataOp::create(b, loc, view.getSource());
  SmallVector<OpFoldResult> strides = metadata.getConstifiedMixedStrides();
  RowsOfBuffer rows = {pointer, offset, Value()};
  for (auto [dim, begin] : llvm::enumerate(view.getMixedOffsets())) {
    if (isZeroInteger(begin))
      continue;
    if (dim == *rowDim) {
      rows.first = toI64(begin);
      continue;
    }
    Value step =
        b.createOrFold<arith::MulIOp>(loc, toI64(begin), toI64(strides[dim]));
    rows.offset = rows.offset
                      ? b.createOrFold<arith::AddIOp>(loc, rows.offset, step)
                      : step;
  }
  return rows;
}

Value kernels::pointerTo(OpBuilder &b, Location loc, Value memory) {
  auto [pointer, offset] = pointerAndOffset(b, loc, memory);
  if (!offset)
    return pointer;
  Type element = cast<MemRefType>(memory.getType()).getElementType();
  return LLVM::GEPOp::create(b, loc, pointer.getType(), element, pointer,
                             ArrayRef<LLVM::GEPArg>{offset});
}

Value kernels::sharedPointer(OpBuilder &b, Location loc, Value memory,
                             Value offset) {
  Value bytes = arith::IndexCastUIOp::create(b, loc, b.getI32Type(), offset);
  return advance(b, loc, pointerTo(b, loc, memory), bytes);
}

Value kernels::loadFlat(OpBuilder &b, Location loc, Value memory,
                        ValueRange indices, Value place) {
  auto type = cast<MemRefType>(memory.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, memory);
  for (auto [index, stride] : llvm::zip(indices, metadata.getStrides())) {
    Value step = b.createOrFold<arith::MulIOp>(loc, index, stride);
    place = b.createOrFold<arith::AddIOp>(loc, place, step);
  }
  place = arith::IndexCastOp::create(b, loc, b.getI64Type(), place);
  Value pointer = pointerTo(b, loc, memory);
  pointer =
      LLVM::GEPOp::create(b, loc, pointer.getType(), type.getElementType(),
                          pointer, ArrayRef<LLVM::GEPArg>{place});
  return LLVM::LoadOp::create(b, loc, type.getElementType(), pointer,
                              type.getElementTypeBitWidth() / 8);
}
