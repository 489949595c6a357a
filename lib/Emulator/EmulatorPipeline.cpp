//===- EmulatorPipeline.cpp - --sparse-attn-emulator-pipeline -------------===//

#include "SparseAttn/Emulator/Passes.h"
#include "SparseAttn/Emulator/Pipeline.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mlir::sparse_attn::buildEmulatorPipeline(
    OpPassManager &pm, const EmulatorPipelineOptions &options) {
  if (!options.kernelIR.empty()) {
    LocationSnapshotOptions snapshot;
    snapshot.fileName = options.kernelIR;
    pm.addPass(createLocationSnapshot(snapshot));
  }
  SparseAttnEmulateOptions emulate;
  emulate.exportKernels = options.exportKernels;
  pm.addPass(createSparseAttnEmulate(emulate));
  SparseAttnSetSmCountOptions device;
  device.count = options.smCount;
  pm.addPass(createSparseAttnSetSmCount(device));
  pm.addPass(createSparseAttnLowerHost());
}

void mlir::sparse_attn::registerEmulator() {
  registerSparseAttnEmulatorPasses();
  PassPipelineRegistration<EmulatorPipelineOptions>(
      "sparse-attn-emulator-pipeline",
      "lower GPU kernels and their host code to the LLVM dialect for the "
      "emulator",
      buildEmulatorPipeline);
}
