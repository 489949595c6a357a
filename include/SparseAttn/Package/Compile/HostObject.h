//===- HostObject.h - Machine code as object files --------------*- C++ -*-===//

#ifndef SPARSEATTN_PACKAGE_COMPILE_HOSTOBJECT_H
#define SPARSEATTN_PACKAGE_COMPILE_HOSTOBJECT_H

#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace llvm {
class Module;
class TargetMachine;
class TargetOptions;
} // namespace llvm

namespace mlir::sparse_attn::target {
struct CpuTarget;
} // namespace mlir::sparse_attn::target

namespace mlir::sparse_attn::package {

/// What makes code for that level of x86-64, which can be put at any address;
/// null where this LLVM cannot.
std::unique_ptr<llvm::TargetMachine>
makeTargetMachine(const target::CpuTarget &level,
                  const llvm::TargetOptions &options);

void setTarget(llvm::Module &module, const llvm::TargetMachine &target);

/// A module for that target as the bytes of an object file.
llvm::Expected<std::string> emitObject(llvm::Module &module,
                                       llvm::TargetMachine &target);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_COMPILE_HOSTOBJECT_H
