//===- OptimizeKernels.h - LLVM's passes for kernels ------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_LAUNCH_OPTIMIZEKERNELS_H
#define SPARSEATTN_LIB_GPU_LAUNCH_OPTIMIZEKERNELS_H

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace mlir::sparse_attn::kernels {

/// Runs the passes of LLVM that kernels gain by, for `machine`, on a module of
/// kernels that call nothing.
void optimizeKernels(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_LAUNCH_OPTIMIZEKERNELS_H
