//===- Staging.cpp - Tiles into shared memory -----------------------------===//

#include "Fragments/Transfers.h"
#include "SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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

/// The pointer to a buffer's first element, from the descriptor that it will
/// be lowered to: {allocated, aligned, offset, sizes, strides}.
static Value pointerTo(OpBuilder &b, Location loc, Value memory) {
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
    return aligned;
  Value first = LLVM::ExtractValueOp::create(b, loc, fields, 2);
  return LLVM::GEPOp::create(b, loc, pointer, type.getElementType(), aligned,
                             ArrayRef<LLVM::GEPArg>{first});
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

namespace {
/// Copies one panel: consecutive threads take consecutive chunks of a row, then
/// rows, so that a warp reads whole rows of global memory.
class PanelCopy {
public:
  PanelCopy(OpBuilder &b, const Threads &threads, StageTileOp op,
            const SharedPanel &panel)
      : b(b), loc(op.getLoc()), math{b, op.getLoc()}, threads(threads), op(op),
        panel(panel), type(cast<MemRefType>(op.getSource().getType())),
        elementBytes(type.getElementTypeBitWidth() / 8) {}

  void emit(Value source, Value target) {
    int64_t rowsAtOnce = threads.numThreads() / panel.chunks();
    row = math.div(threads.thread, panel.chunks());
    chunk = math.mod(threads.thread, panel.chunks());
    source = startIn(source);
    int64_t rows = op.getRows();
    for (int64_t first = 0; first < rows; first += rowsAtOnce) {
      if (first > 0)
        source = advanceRows(source, rowsAtOnce);
      // The last step may have more threads than rows.
      if (first + rowsAtOnce <= rows) {
        copy(source, target, first);
        continue;
      }
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                           row, math.constant(rows - first));
      auto guarded = scf::IfOp::create(b, loc, inside, /*withElse=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(guarded.thenBlock());
      copy(source, target, first);
    }
  }

private:
  /// A chunk to row first + row of the tile. What `first` adds to
  /// the addresses is constant but for its part below 8, on which the swizzle
  /// depends: so one pointer a thread serves all steps.
  void copy(Value source, Value target, int64_t first) {
    Value swizzled = math.add(row, math.constant(first % 8));
    Value phase =
        math.mod(math.div(swizzled, 128 / panel.width), panel.chunks());
    Value place = math.add(math.mul(swizzled, panel.width),
                           math.mul(math.bitXor(chunk, phase), 16));
    Value destination = advance(b, loc, target, place);
    destination = advance(b, loc, destination,
                          panel.offset + (first - first % 8) * panel.width);
    NVVM::CpAsyncOp::create(b, loc, destination, source, 16,
                            NVVM::LoadCacheModifierKind::CG,
                            presentBytes(first));
  }

  Value toI64(Value x) {
    return arith::ExtUIOp::create(b, loc, b.getI64Type(), x);
  }
  Value constantI64(int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }
  Value step(Value pointer, LLVM::GEPArg elements) {
    return LLVM::GEPOp::create(b, loc, pointer.getType(), type.getElementType(),
                               pointer, ArrayRef<LLVM::GEPArg>{elements});
  }

  /// What this thread copies first.
  Value startIn(Value source) {
    Value column = math.add(math.mul(chunk, 16 / elementBytes),
                            math.constant(panel.firstByte / elementBytes));
    Value start = b.createOrFold<arith::MulIOp>(loc, toI64(row), rowStride());
    return step(source,
                Value(arith::AddIOp::create(b, loc, start, toI64(column))));
  }

  /// The same `rows` rows on. A constant becomes the copy's own offset; adding
  /// to one pointer is cheaper than keeping one for every step.
  Value advanceRows(Value pointer, int64_t rows) {
    Value offset =
        b.createOrFold<arith::MulIOp>(loc, rowStride(), constantI64(rows));
    if (std::optional<int64_t> known = getConstantIntValue(offset))
      return step(pointer, static_cast<int32_t>(*known));
    return step(pointer, offset);
  }

  Value rowStride() {
    int64_t stride = type.getStridesAndOffset().first[0];
    if (!ShapedType::isDynamic(stride))
      return constantI64(stride);
    auto metadata =
        memref::ExtractStridedMetadataOp::create(b, loc, op.getSource());
    return arith::IndexCastOp::create(b, loc, b.getI64Type(),
                                      metadata.getStrides()[0]);
  }

  /// 16, or 0 past the source's end, where the copy fills with zeros; null
  /// where all rows are present.
  Value presentBytes(int64_t first) {
    if (!type.isDynamicDim(0) &&
        type.getDimSize(0) >= static_cast<int64_t>(op.getRows()))
      return {};
    Value end = memref::DimOp::create(b, loc, op.getSource(), 0);
    end = arith::IndexCastOp::create(b, loc, b.getI32Type(), end);
    Value present =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                              math.add(row, math.constant(first)), end);
    return arith::SelectOp::create(b, loc, present, math.constant(16),
                                   math.constant(0));
  }

  OpBuilder &b;
  Location loc;
  LaneMath math;
  const Threads &threads;
  StageTileOp op;
  SharedPanel panel;
  MemRefType type;
  int64_t elementBytes;
  Value row, chunk; ///< of this thread in the first step
};
} // namespace

void kernels::emitStage(OpBuilder &b, const Threads &threads, StageTileOp op) {
  Location loc = op.getLoc();
  auto type = cast<MemRefType>(op.getSource().getType());
  SharedLayout layout(op.getRows(),
                      type.getDimSize(1) * type.getElementTypeBitWidth() / 8);
  Value source = pointerTo(b, loc, op.getSource());
  Value target = sharedPointer(b, loc, op.getMemory(), op.getOffset());
  for (const SharedPanel &panel : layout.getPanels())
    PanelCopy(b, threads, op, panel).emit(source, target);
}
