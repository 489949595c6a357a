//===- LowerKernels.cpp - --sparse-attn-lower-kernels ---------------------===//

#include "SparseAttn/GPU/Passes.h"
#include "mlir/IR/Verifier.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNLOWERKERNELS
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
struct LowerKernelsPass
    : sparse_attn::impl::SparseAttnLowerKernelsBase<LowerKernelsPass> {
  using Base::Base;

  void getDependentDialects(DialectRegistry &registry) const override {
    for (const OpPassManager &pipeline : opPipelines)
      pipeline.getDependentDialects(registry);
  }

  void runOnOperation() override {
    for (auto module : getOperation().getOps<gpu::GPUModuleOp>()) {
      if (!module->hasAttr(kKernelsAttr))
        continue;
      for (OpPassManager &pipeline : opPipelines)
        if (failed(runPipeline(pipeline, module)))
          return signalPassFailure();
      // A compiler that verifies nothing between passes does so before LLVM.
      if (failed(verify(module)))
        return signalPassFailure();
    }
  }
};
} // namespace
