//===- BufferPointers.cpp - Pointers into buffers
//--------------------------===//

#include "BufferPointers.h"
#include "SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

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

/// From the descriptor that the buffer will be lowered to: {allocated, aligned,
/// offset, sizes, strides}.
std::pair<Value, Value> kernels::pointerAndOffset(OpBuilder &b, Location loc,
                                                  Value memory) {
  auto type = cast<MemRefType>(memory.getType());
  MLIRContext *context = b.getContext();
  auto pointer = LLVM::LLVMPointerType::get(context, addressSpaceOf(type));
  auto extents = LLVM::LLVMArrayType::get(b.getI64Type(), type.getRank());
  auto descriptor = LLVM::LLVMStructType::getLiteral(
      context, {pointer, pointer, b.getI64Type(), extents, extents});
  Value fields = UnrealizedConversionCastOp::create(b, loc, descriptor, memory)
                     .getResult(0);
  Value aligned = LLVM::ExtractValueOp::create(b, loc, fields, 1);
  auto [strides, offset] = type.getStridesAndOffset();
  if (offset == 0)
    return {aligned, Value()};
  return {aligned, LLVM::ExtractValueOp::create(b, loc, fields, 2)};
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
