//===- OptimizeKernels.h - LLVM's passes for kernels ------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_LAUNCH_OPTIMIZEKERNELS_H
#define SPARSEATTN_LIB_GPU_LAUNCH_OPTIMIZEKERNELS_H

#include <cstdint>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace mlir::sparse_attn::kernels {

/// Runs the passes of LLVM that kernels gain by, for `machine`, on a module of
/// kernels that call nothing. Those of which a loop carries more f32 numbers
/// than `mostPaired` have no vectors then, of which pairs would be made.
void optimizeKernels(llvm::Module &module, llvm::TargetMachine &machine,
                     int64_t mostPaired);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_LAUNCH_OPTIMIZEKERNELS_H
