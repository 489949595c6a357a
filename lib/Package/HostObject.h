//===- HostObject.h - Machine code for this machine -------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PACKAGE_HOSTOBJECT_H
#define SPARSEATTN_LIB_PACKAGE_HOSTOBJECT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace mlir::sparse_attn {

/// A module in the LLVM dialect as an object file for the processor this runs
/// on, not optimised: emulated kernels are calls of the emulator most of the
/// time.
llvm::Expected<std::string> emitHostObject(ModuleOp module);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_PACKAGE_HOSTOBJECT_H
