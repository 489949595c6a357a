//===- Optimize.h - LLVM's passes over host code ----------------*- C++ -*-===//

#ifndef SPARSEATTN_PACKAGE_COMPILE_OPTIMIZE_H
#define SPARSEATTN_PACKAGE_COMPILE_OPTIMIZE_H

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace mlir::sparse_attn::package {

/// Runs LLVM's passes of -O3 but its unrolling of loops. What is worth it is
/// unrolled where tiles become vectors (--sparse-attn-tile-registers); more of
/// it took 40% of the time to compile the examples, whose run times did not
/// differ by more than the noise of a busy machine, 3%.
void optimizeHostCode(llvm::Module &module, llvm::TargetMachine &target);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_COMPILE_OPTIMIZE_H
