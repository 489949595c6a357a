//===- HostObject.h - Machine code as object files --------------*- C++ -*-===//

#ifndef SPARSEATTN_PACKAGE_COMPILE_HOSTOBJECT_H
#define SPARSEATTN_PACKAGE_COMPILE_HOSTOBJECT_H

#include "llvm/Support/Error.h"
#include <string>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace mlir::sparse_attn::package {

void setTarget(llvm::Module &module, const llvm::TargetMachine &target);

/// A module for that target as the bytes of an object file.
llvm::Expected<std::string> emitObject(llvm::Module &module,
                                       llvm::TargetMachine &target);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_COMPILE_HOSTOBJECT_H
