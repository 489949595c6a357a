//===- KernelRewriter.cpp - Calls into the emulator's runtime -------------===//

#include "KernelRewriter.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;

Type emulator::stripAddressSpaces(Type type) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](LLVM::LLVMPointerType pointer) -> Type {
    return LLVM::LLVMPointerType::get(pointer.getContext());
  });
  return replacer.replace(type);
}

std::string KernelRewriter::uniqueName(const Twine &name) {
  std::string unique = name.str();
  for (unsigned i = 0; symbols.lookup(unique); ++i)
    unique = (name + "_" + Twine(i)).str();
  return unique;
}

LLVM::CallOp KernelRewriter::call(OpBuilder &b, Location loc, StringRef callee,
                                  Type result, ValueRange arguments) {
  Type type = result ? result : LLVM::LLVMVoidType::get(b.getContext());
  auto function = symbols.lookup<LLVM::LLVMFuncOp>(callee);
  if (!function) {
    SmallVector<Type> types;
    for (Value argument : arguments)
      types.push_back(stripAddressSpaces(argument.getType()));
    OpBuilder top = OpBuilder::atBlockBegin(host.getBody());
    function = LLVM::LLVMFuncOp::create(
        top, host.getLoc(), callee, LLVM::LLVMFunctionType::get(type, types));
    symbols.insert(function, host.getBody()->begin());
  }
  return LLVM::CallOp::create(b, loc, function, arguments);
}

Value KernelRewriter::i32(OpBuilder &b, Location loc, int64_t value) {
  return LLVM::ConstantOp::create(b, loc, b.getI32Type(), value);
}

Value KernelRewriter::i64(OpBuilder &b, Location loc, int64_t value) {
  return LLVM::ConstantOp::create(b, loc, b.getI64Type(), value);
}

static std::string describe(Location loc) {
  std::string text;
  loc->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(part);
    if (!file)
      return WalkResult::advance();
    text = (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" +
            Twine(file.getColumn()))
               .str();
    return WalkResult::interrupt();
  });
  return text.empty() ? "unknown location" : text;
}

Value KernelRewriter::nameOperation(OpBuilder &b, Operation *op) {
  // One text an op, even where several have one location: the runtime tells ops
  // apart by it.
  if (operationOffset < 0) {
    operationOffset = operationTexts.size();
    operationTexts +=
        describe(op->getLoc()) + ": " + op->getName().getStringRef().str();
    operationTexts += '\0';
  }
  return i32(b, op->getLoc(), operationOffset);
}

void KernelRewriter::emitOperationTexts() {
  auto text = symbols.lookup<LLVM::GlobalOp>("sparse_attn_emu_operations");
  if (!text)
    return;
  auto type =
      LLVM::LLVMArrayType::get(IntegerType::get(host.getContext(), 8),
                               std::max<size_t>(operationTexts.size(), 1));
  if (operationTexts.empty())
    operationTexts += '\0';
  text.setGlobalType(type);
  text.setValueAttr(StringAttr::get(host.getContext(), operationTexts));
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

Value KernelRewriter::getExchange(OpBuilder &b) {
  Operation *function = b.getInsertionBlock()->getParentOp();
  while (!isa<LLVM::LLVMFuncOp>(function))
    function = function->getParentOp();
  Value &exchange = exchanges[function];
  if (exchange)
    return exchange;
  static_assert(sizeof(emulator::MmaRegisters) <= 16 * sizeof(uint32_t));
  OpBuilder entry = OpBuilder::atBlockBegin(&function->getRegion(0).front());
  Location loc = function->getLoc();
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto type = LLVM::LLVMArrayType::get(b.getI32Type(), 16);
  exchange =
      LLVM::AllocaOp::create(entry, loc, pointer, type, i32(entry, loc, 1),
                             /*alignment=*/16);
  return exchange;
}

/// i32, f32, vector<2xf16>, ... as the 32 bits of a register.
Value KernelRewriter::toRegister(OpBuilder &b, Location loc, Value value) {
  if (value.getType().isInteger(32))
    return value;
  return LLVM::BitcastOp::create(b, loc, b.getI32Type(), value);
}

Value KernelRewriter::fromRegister(OpBuilder &b, Location loc, Value bits,
                                   Type type) {
  if (type.isInteger(32))
    return bits;
  return LLVM::BitcastOp::create(b, loc, type, bits);
}

static Value addressOf(OpBuilder &b, Location loc, Value exchange,
                       unsigned index) {
  return LLVM::GEPOp::create(b, loc, exchange.getType(), b.getI32Type(),
                             exchange,
                             ArrayRef<LLVM::GEPArg>{static_cast<int>(index)});
}

void KernelRewriter::storeRegister(OpBuilder &b, Location loc, Value exchange,
                                   unsigned index, Value value) {
  LLVM::StoreOp::create(b, loc, value, addressOf(b, loc, exchange, index));
}

Value KernelRewriter::loadRegister(OpBuilder &b, Location loc, Value exchange,
                                   unsigned index, Type type) {
  return LLVM::LoadOp::create(b, loc, type, addressOf(b, loc, exchange, index));
}
