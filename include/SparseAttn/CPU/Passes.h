//===- Passes.h - From steps to the LLVM dialect, CPUs ----------*- C++ -*-===//

#ifndef SPARSEATTN_CPU_PASSES_H
#define SPARSEATTN_CPU_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::sparse_attn {

/// Stands on functions that a host runs once for each workgroup.
inline constexpr llvm::StringLiteral kLoopKernelAttr = "sparse_attn.kernel";

#define GEN_PASS_DECL
#include "SparseAttn/CPU/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "SparseAttn/CPU/Passes.h.inc"

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_CPU_PASSES_H
