//===- EmulateLaunch.cpp - Kernel descriptors and launches ----------------===//

#include "KernelRewriter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;
using emulator::SharedVariable;

static LLVM::LLVMPointerType pointerType(OpBuilder &b) {
  return LLVM::LLVMPointerType::get(b.getContext());
}

LLVM::GlobalOp KernelRewriter::emitText(const Twine &name, StringRef text) {
  OpBuilder b = OpBuilder::atBlockBegin(host.getBody());
  std::string terminated = text.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), terminated.size());
  auto global = LLVM::GlobalOp::create(
      b, host.getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal,
      uniqueName(name), b.getStringAttr(terminated));
  symbols.insert(global, host.getBody()->begin());
  return global;
}

static LLVM::LLVMStructType getArgumentStruct(LLVM::LLVMFuncOp kernel) {
  return LLVM::LLVMStructType::getLiteral(kernel.getContext(),
                                          kernel.getArgumentTypes());
}

static Value getField(OpBuilder &b, Location loc, LLVM::LLVMStructType type,
                      Value base, unsigned index) {
  return LLVM::GEPOp::create(
      b, loc, base.getType(), type, base,
      ArrayRef<LLVM::GEPArg>{0, static_cast<int>(index)});
}

//   llvm.func @kernel_entry(%arguments: !llvm.ptr) {
//     %a = llvm.load %arguments[0]  ...
//     llvm.call @kernel(%a, ...)
LLVM::LLVMFuncOp KernelRewriter::emitEntry(LLVM::LLVMFuncOp kernel) {
  OpBuilder b = OpBuilder::atBlockEnd(host.getBody());
  Location loc = kernel.getLoc();
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), pointerType(b));
  auto entry =
      LLVM::LLVMFuncOp::create(b, loc, uniqueName(kernel.getName() + "_entry"),
                               type, LLVM::Linkage::Internal);
  symbols.insert(entry);
  Block *body = entry.addEntryBlock(b);
  b.setInsertionPointToStart(body);
  SmallVector<Value> arguments;
  LLVM::LLVMStructType fields = getArgumentStruct(kernel);
  for (auto [index, field] : llvm::enumerate(kernel.getArgumentTypes()))
    arguments.push_back(LLVM::LoadOp::create(
        b, loc, field, getField(b, loc, fields, body->getArgument(0), index)));
  LLVM::CallOp::create(b, loc, kernel, arguments);
  LLVM::ReturnOp::create(b, loc, ValueRange());
  return entry;
}

/// A constant global of struct or array type with these parts.
LLVM::GlobalOp KernelRewriter::emitConstant(StringRef name,
                                            LLVM::Linkage linkage, Type type,
                                            MakeParts makeParts) {
  OpBuilder b = OpBuilder::atBlockBegin(host.getBody());
  Location loc = host.getLoc();
  auto global =
      LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, linkage, name,
                             /*value=*/Attribute());
  b.createBlock(&global.getInitializerRegion());
  Value value = LLVM::UndefOp::create(b, loc, type);
  for (auto [index, part] : llvm::enumerate(makeParts(b)))
    value = LLVM::InsertValueOp::create(b, loc, value, part, index);
  LLVM::ReturnOp::create(b, loc, value);
  symbols.insert(global, host.getBody()->begin());
  return global;
}

/// The KernelDescriptor and what it points at.
void KernelRewriter::emitDescriptor(EmulatedKernel &kernel, StringRef name,
                                    int64_t maxThreads,
                                    ArrayRef<SharedVariable> shared) {
  MLIRContext *context = host.getContext();
  Location loc = host.getLoc();
  std::string prefix = kernel.function.getName().str();
  LLVM::GlobalOp text = emitText(prefix + "_name", name);
  LLVM::LLVMFuncOp entry = emitEntry(kernel.function);
  auto operations =
      symbols.lookup<LLVM::GlobalOp>("sparse_attn_emu_operations");
  if (!operations)
    operations = emitText("sparse_attn_emu_operations", "");

  Type i64Type = IntegerType::get(context, 64);
  Type pointer = LLVM::LLVMPointerType::get(context);
  auto sharedType = LLVM::LLVMArrayType::get(i64Type, 2 * shared.size());
  auto sharedTable =
      emitConstant(uniqueName(prefix + "_shared"), LLVM::Linkage::Internal,
                   sharedType, [&](OpBuilder &b) {
                     SmallVector<Value> parts;
                     for (const SharedVariable &variable : shared) {
                       parts.push_back(i64(b, loc, variable.bytes));
                       parts.push_back(i64(b, loc, variable.alignment));
                     }
                     return parts;
                   });

  auto type = LLVM::LLVMStructType::getLiteral(
      context, {pointer, pointer, pointer, pointer, i64Type, i64Type});
  auto descriptor =
      emitConstant(uniqueName(prefix + "_descriptor"), LLVM::Linkage::Internal,
                   type, [&](OpBuilder &b) {
                     return SmallVector<Value>{
                         LLVM::AddressOfOp::create(b, loc, text),
                         LLVM::AddressOfOp::create(b, loc, entry),
                         LLVM::AddressOfOp::create(b, loc, operations),
                         LLVM::AddressOfOp::create(b, loc, sharedTable),
                         i64(b, loc, shared.size()),
                         i64(b, loc, maxThreads)};
                   });
  kernel.descriptor = descriptor.getSymName().str();
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

static Value toI64(OpBuilder &b, Location loc, Value size) {
  if (size.getType().isIndex())
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), size);
  if (size.getType().isInteger(64))
    return size;
  return LLVM::ZExtOp::create(b, loc, b.getI64Type(), size);
}

static LogicalResult checkLaunch(gpu::LaunchFuncOp op,
                                 LLVM::LLVMFuncOp kernel) {
  if (op.getAsyncToken() || !op.getAsyncDependencies().empty() ||
      op.getAsyncObject())
    return op.emitError("asynchronous launches cannot be emulated; launch "
                        "without 'async' and dependencies");
  if (op.hasClusterSize())
    return op.emitError("launches of clusters cannot be emulated");
  if (op.getNumKernelOperands() != kernel.getNumArguments())
    return op.emitError("launches '")
           << op.getKernelName().getValue() << "' with "
           << op.getNumKernelOperands() << " arguments; it takes "
           << kernel.getNumArguments();
  for (auto [index, operand, type] :
       llvm::enumerate(op.getKernelOperands(), kernel.getArgumentTypes()))
    if (stripAddressSpaces(operand.getType()) != type)
      return op.emitError("passes a value of type ")
             << operand.getType() << " as argument " << index << " of '"
             << op.getKernelName().getValue() << "', which takes " << type;
  return success();
}

LogicalResult KernelRewriter::rewriteLaunch(gpu::LaunchFuncOp op) {
  auto *known = kernels.find(op.getKernel());
  if (known == kernels.end())
    return op.emitError("launches ")
           << op.getKernel() << ", which has no body that could be emulated";
  EmulatedKernel &kernel = known->second;
  if (failed(checkLaunch(op, kernel.function)))
    return failure();
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto pointer = pointerType(b);
  LLVM::LLVMStructType type = getArgumentStruct(kernel.function);
  // The memory is on the stack of the function, once, however often this
  // launches.
  auto function = op->getParentOfType<FunctionOpInterface>();
  OpBuilder entry =
      OpBuilder::atBlockBegin(&function.getFunctionBody().front());
  Value arguments =
      LLVM::AllocaOp::create(entry, loc, pointer, type, i32(entry, loc, 1));
  for (auto [index, operand] : llvm::enumerate(op.getKernelOperands()))
    LLVM::StoreOp::create(b, loc, operand,
                          getField(b, loc, type, arguments, index));
  for (auto &[name, bytes] : variables) {
    Value address = LLVM::AddressOfOp::create(b, loc, pointer, name);
    call(b, loc, "sparse_attn_emu_register", {}, {address, i64(b, loc, bytes)});
  }
  SmallVector<Value> operands = {
      LLVM::AddressOfOp::create(b, loc, pointer, kernel.descriptor)};
  for (Value size :
       {op.getGridSizeX(), op.getGridSizeY(), op.getGridSizeZ(),
        op.getBlockSizeX(), op.getBlockSizeY(), op.getBlockSizeZ()})
    operands.push_back(toI64(b, loc, size));
  Value shared = op.getDynamicSharedMemorySize();
  operands.push_back(shared ? toI64(b, loc, shared) : i64(b, loc, 0));
  operands.push_back(arguments);
  call(b, loc, "sparse_attn_emu_launch", {}, operands);
  op.erase();
  return success();
}
