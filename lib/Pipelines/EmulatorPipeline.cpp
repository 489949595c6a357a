//===- EmulatorPipeline.cpp - --sparse-attn-emulator-pipeline -------------===//

#include "SparseAttn/Emulator/Passes.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

void mlir::sparse_attn::buildEmulatorPipeline(OpPassManager &pm) {
  pm.addPass(createSparseAttnEmulate());
  buildHostPipeline(pm);
}
