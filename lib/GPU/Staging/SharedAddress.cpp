//===- SharedAddress.cpp - Addresses of a thread in a staged tile ---------===//

#include "SharedAddress.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

Value LaneMath::constant(int64_t value) const {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}
Value LaneMath::add(Value x, Value y) const {
  return b.createOrFold<arith::AddIOp>(loc, x, y);
}
Value LaneMath::mul(Value x, int64_t factor) const {
  return b.createOrFold<arith::MulIOp>(loc, x, constant(factor));
}
Value LaneMath::div(Value x, int64_t powerOfTwo) const {
  return b.createOrFold<arith::ShRUIOp>(loc, x,
                                        constant(llvm::Log2_64(powerOfTwo)));
}
Value LaneMath::mod(Value x, int64_t powerOfTwo) const {
  return b.createOrFold<arith::AndIOp>(loc, x, constant(powerOfTwo - 1));
}
Value LaneMath::bitXor(Value x, Value y) const {
  return b.createOrFold<arith::XOrIOp>(loc, x, y);
}

Value kernels::advance(OpBuilder &b, Location loc, Value pointer, Value bytes) {
  return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

Value kernels::advance(OpBuilder &b, Location loc, Value pointer,
                       int64_t bytes) {
  if (bytes == 0)
    return pointer;
  return LLVM::GEPOp::create(
      b, loc, pointer.getType(), b.getI8Type(), pointer,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}

static int64_t rowBytes(VectorType type) {
  return type.getDimSize(1) * type.getElementTypeBitWidth() / 8;
}

SharedAddress::SharedAddress(OpBuilder &b, Location loc, const StagedTile &tile,
                             Value row, Value chunk, Value byte)
    : b(b), loc(loc), tile(tile),
      layout(tile.type.getDimSize(0), rowBytes(tile.type)), row(row),
      chunk(chunk), byte(byte) {}

/// row * width + 16 * (constant ^ chunk ^ phase(row)) + byte; the constant is
/// even, so that adding 0 or 1 to it is an exclusive or as well.
Value SharedAddress::lanePart(const SharedPanel &panel, int64_t constant) {
  LaneMath math{b, loc};
  Value phase = math.mod(math.div(row, 128 / panel.width), panel.chunks());
  Value permuted =
      math.bitXor(math.bitXor(chunk, phase), math.constant(constant));
  Value offset = math.add(math.mul(row, panel.width), math.mul(permuted, 16));
  return byte ? math.add(offset, byte) : offset;
}

Value SharedAddress::at(int64_t rowOffset, int64_t byteOffset) {
  const SharedPanel &panel = layout.panelOf(byteOffset);
  Value lanes = lanePart(panel, (byteOffset - panel.firstByte) / 16);
  Value pointer = advance(b, loc, tile.pointer, lanes);
  return advance(b, loc, pointer, panel.offset + rowOffset * panel.width);
}
