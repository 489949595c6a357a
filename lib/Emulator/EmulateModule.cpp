//===- EmulateModule.cpp - The table of kernels ---------------------------===//

#include "KernelRewriter.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;

//   llvm.mlir.global @sparse_attn_emu_module() {
//     {@kernels, number of them, @variables, number of them}
void KernelRewriter::emitKernelModule() {
  MLIRContext *context = host.getContext();
  Location loc = host.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(context);
  Type i64Type = IntegerType::get(context, 64);
  auto addressOf = [&](OpBuilder &b, StringRef symbol) -> Value {
    return LLVM::AddressOfOp::create(b, loc, pointer, symbol);
  };
  auto kernelTable = emitConstant(
      uniqueName("sparse_attn_emu_kernels"), LLVM::Linkage::Internal,
      LLVM::LLVMArrayType::get(pointer, kernels.size()), [&](OpBuilder &b) {
        SmallVector<Value> parts;
        for (const auto &[name, kernel] : kernels)
          parts.push_back(addressOf(b, kernel.descriptor));
        return parts;
      });
  auto variableTable = emitConstant(
      uniqueName("sparse_attn_emu_variables"), LLVM::Linkage::Internal,
      LLVM::LLVMArrayType::get(i64Type, 2 * variables.size()),
      [&](OpBuilder &b) {
        SmallVector<Value> parts;
        for (const auto &[name, bytes] : variables) {
          parts.push_back(
              LLVM::PtrToIntOp::create(b, loc, i64Type, addressOf(b, name)));
          parts.push_back(i64(b, loc, bytes));
        }
        return parts;
      });
  emitConstant(
      emulator::kKernelModule, LLVM::Linkage::External,
      LLVM::LLVMStructType::getLiteral(context,
                                       {pointer, i64Type, pointer, i64Type}),
      [&](OpBuilder &b) {
        return SmallVector<Value>{addressOf(b, kernelTable.getSymName()),
                                  i64(b, loc, kernels.size()),
                                  addressOf(b, variableTable.getSymName()),
                                  i64(b, loc, variables.size())};
      });
}
