//===- KernelRewriter.h - Calls into the emulator's runtime -----*- C++ -*-===//

#ifndef SPARSEATTN_EMULATOR_KERNELREWRITER_H
#define SPARSEATTN_EMULATOR_KERNELREWRITER_H

#include "SparseAttn/Emulator/Runtime.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::sparse_attn::emulator {

/// Pointers of every address space become plain ones.
Type stripAddressSpaces(Type type);

/// A kernel that was made a host function.
struct EmulatedKernel {
  LLVM::LLVMFuncOp function;
  std::string descriptor; ///< the symbol of its KernelDescriptor
};

/// What rewriting the ops of all kernels of a module shares.
class KernelRewriter {
public:
  explicit KernelRewriter(ModuleOp host) : host(host), symbols(host) {}

  // Moving kernels out of their modules (Emulate.cpp).
  LogicalResult moveOut(gpu::GPUModuleOp module);

  // One op each; they erase or replace what they rewrite.
  LogicalResult rewriteAccess(Operation *op);     // EmulateAccesses.cpp
  LogicalResult rewriteNVVM(Operation *op);       // EmulateNVVM.cpp
  LogicalResult rewriteMBarrier(Operation *op);   // EmulateMBarriers.cpp
  LogicalResult rewritePTX(Operation *op);        // EmulatePTX.cpp
  LogicalResult rewriteLaunch(gpu::LaunchFuncOp); // EmulateLaunch.cpp

  /// Emits the texts that calls name operations by.
  void emitOperationTexts();
  /// Emits the table by which programs find the kernels.
  void emitKernelModule(); // EmulateModule.cpp

  // Building blocks.
  std::string uniqueName(const Twine &name);
  LLVM::CallOp call(OpBuilder &b, Location loc, StringRef callee, Type result,
                    ValueRange arguments);
  static Value i32(OpBuilder &b, Location loc, int64_t value);
  static Value i64(OpBuilder &b, Location loc, int64_t value);
  template <typename Enum>
  static Value i32Of(OpBuilder &b, Location loc, Enum e) {
    return i32(b, loc, static_cast<int64_t>(e));
  }
  /// How a call names `op`: its location and name.
  Value nameOperation(OpBuilder &b, Operation *op);
  /// Stack memory of the function around `b`, through which warp operations
  /// take and return more than one value.
  Value getExchange(OpBuilder &b);
  static Value toRegister(OpBuilder &b, Location loc, Value value);
  static Value fromRegister(OpBuilder &b, Location loc, Value bits, Type type);
  static void storeRegister(OpBuilder &b, Location loc, Value exchange,
                            unsigned index, Value value);
  static Value loadRegister(OpBuilder &b, Location loc, Value exchange,
                            unsigned index, Type type);

private:
  /// A function of a module of kernels.
  struct DeviceFunction {
    LLVM::LLVMFuncOp function;
    StringAttr name; ///< in its module
    bool isKernel;
    int64_t maxThreads;
    llvm::DenseSet<StringAttr> variables; ///< whose address it takes
  };

  void rename(gpu::GPUModuleOp module, Operation *op);
  LLVM::LLVMFuncOp moveFunction(LLVM::LLVMFuncOp function);
  void moveVariable(LLVM::GlobalOp global);
  SmallVector<emulator::SharedVariable>
  getSharedVariablesOf(const DeviceFunction &kernel,
                       ArrayRef<DeviceFunction> functions);
  LogicalResult rewriteBody(LLVM::LLVMFuncOp function);
  LogicalResult rewriteOp(Operation *op);
  void rewriteBfloatTruncation(LLVM::FPTruncOp op);
  void check(OpBuilder &b, Operation *op, Value address, Type accessed,
             std::optional<uint64_t> alignment, uint32_t mode);

  void emitDescriptor(EmulatedKernel &kernel, StringRef name,
                      int64_t maxThreads,
                      ArrayRef<emulator::SharedVariable> shared);
  LLVM::LLVMFuncOp emitEntry(LLVM::LLVMFuncOp kernel);
  LLVM::GlobalOp emitText(const Twine &name, StringRef text);
  using MakeParts = llvm::function_ref<SmallVector<Value>(OpBuilder &)>;
  LLVM::GlobalOp emitConstant(StringRef name, LLVM::Linkage linkage, Type type,
                              MakeParts makeParts);

  ModuleOp host;
  SymbolTable symbols;
  std::string operationTexts;
  int64_t operationOffset = -1; ///< of the op that is being rewritten
  llvm::DenseMap<Operation *, Value> exchanges;
  /// Variables in shared memory of the module that is being moved.
  llvm::MapVector<StringAttr, emulator::SharedVariable> sharedVariables;
  llvm::MapVector<Attribute, EmulatedKernel> kernels;
  /// Variables in global and constant memory: symbol and size.
  SmallVector<std::pair<std::string, int64_t>> variables;
};

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_KERNELREWRITER_H
