//===- Passes.h - From steps to PTX, GPUs -----------------------*- C++ -*-===//

#ifndef SPARSEATTN_GPU_PASSES_H
#define SPARSEATTN_GPU_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::sparse_attn {

/// Marks a gpu.module or gpu.binary whose kernels come from attention. Others
/// are the user's own.
inline constexpr llvm::StringLiteral kKernelsAttr = "sparse_attn.kernels";

/// On functions that a package launches one of, by the sizes: the name that
/// their gpu.module is called after, as it holds the kernels of all of them.
inline constexpr llvm::StringLiteral kVariantOfAttr = "sparse_attn.variant_of";

/// A block has at most so many warps: CUDA launches 1024 threads a block.
constexpr int64_t kMaxWarps = 32;

#define GEN_PASS_DECL
#include "SparseAttn/GPU/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "SparseAttn/GPU/Passes.h.inc"

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_GPU_PASSES_H
