//===- Pipeline.h - From lowered kernels to the emulator --------*- C++ -*-===//

#ifndef SPARSEATTN_EMULATOR_PIPELINE_H
#define SPARSEATTN_EMULATOR_PIPELINE_H

#include "mlir/Pass/PassOptions.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mlir::sparse_attn {

/// Options of --sparse-attn-emulator-pipeline.
struct EmulatorPipelineOptions : PassPipelineOptions<EmulatorPipelineOptions> {
  Option<std::string> kernelIR{
      *this, "kernel-ir",
      llvm::cl::desc(
          "File to write the kernels to; reports then name its lines, "
          "where many operations come from one of the source")};
  Option<bool> exportKernels{
      *this, "export-kernels",
      llvm::cl::desc(
          "Add a table of the kernels, for programs that launch them by name"),
      llvm::cl::init(false)};
  Option<int64_t> smCount{
      *this, "sm-count",
      llvm::cl::desc("Multiprocessors that the emulated device is to have"),
      llvm::cl::init(1)};
};

/// Lowered GPU kernels and their host code to LLVM dialect that runs in the
/// emulator.
void buildEmulatorPipeline(OpPassManager &pm,
                           const EmulatorPipelineOptions &options);

/// Registers the emulator's passes and its pipeline, which
/// registerPassesAndPipelines leaves out.
void registerEmulator();

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_EMULATOR_PIPELINE_H
