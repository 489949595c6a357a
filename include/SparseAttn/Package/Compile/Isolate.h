//===- Isolate.h - A function with all that it needs ------------*- C++ -*-===//

#ifndef SPARSEATTN_PACKAGE_COMPILE_ISOLATE_H
#define SPARSEATTN_PACKAGE_COMPILE_ISOLATE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn::package {

/// A copy of the module with this function and what it uses only. What it calls
/// is inlined where that is possible; null, after an error at the call, where
/// attention stays outside.
OwningOpRef<ModuleOp> isolate(func::FuncOp func);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_COMPILE_ISOLATE_H
