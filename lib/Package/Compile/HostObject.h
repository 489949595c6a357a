//===- HostObject.h - Machine code as object files --------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_COMPILE_HOSTOBJECT_H
#define SPARSEATTN_LIB_PACKAGE_COMPILE_HOSTOBJECT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace mlir::sparse_attn::package {

void setTarget(llvm::Module &module, const llvm::TargetMachine &target);

/// A module for that target as the bytes of an object file.
llvm::Expected<std::string> emitObject(llvm::Module &module,
                                       llvm::TargetMachine &target);

/// A module in the LLVM dialect as an object file for the processor this runs
/// on, not optimised: emulated kernels are calls of the emulator most of the
/// time.
llvm::Expected<std::string> emitHostObject(ModuleOp module);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_LIB_PACKAGE_COMPILE_HOSTOBJECT_H
