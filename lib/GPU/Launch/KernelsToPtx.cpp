//===- KernelsToPtx.cpp - --sparse-attn-kernels-to-ptx --------------------===//

#include "SparseAttn/GPU/Passes.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNKERNELSTOPTX
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Upstream serialises every gpu.module inside an operation: one that holds
/// nothing but this module.
static LogicalResult serialize(gpu::GPUModuleOp module) {
  OwningOpRef<ModuleOp> alone = ModuleOp::create(module.getLoc());
  Operation *before = module->getPrevNode();
  Block *place = module->getBlock();
  module->moveBefore(alone->getBody(), alone->getBody()->end());
  gpu::TargetOptions options(/*toolkitPath=*/{}, /*librariesToLink=*/{},
                             /*cmdOptions=*/{}, /*elfSection=*/{},
                             gpu::CompilationTarget::Assembly);
  LogicalResult result =
      gpu::transformGpuModulesToBinaries(*alone, /*handler=*/nullptr, options);
  // Back where it was, lowered or not.
  Operation &now = alone->getBody()->front();
  now.setAttr(kKernelsAttr, UnitAttr::get(now.getContext()));
  if (before)
    now.moveAfter(before);
  else
    now.moveBefore(place, place->begin());
  return result;
}

namespace {
struct KernelsToPtxPass
    : sparse_attn::impl::SparseAttnKernelsToPtxBase<KernelsToPtxPass> {
  using Base::Base;

  void runOnOperation() override {
    Builder b(&getContext());
    auto flags = b.getDictionaryAttr(b.getNamedAttr("ftz", b.getUnitAttr()));
    auto target =
        NVVM::NVVMTargetAttr::get(&getContext(), /*optLevel=*/3,
                                  "nvptx64-nvidia-cuda", chip, features, flags);
    SmallVector<gpu::GPUModuleOp> modules;
    for (auto module : getOperation().getOps<gpu::GPUModuleOp>())
      if (module->hasAttr(kKernelsAttr))
        modules.push_back(module);
    for (gpu::GPUModuleOp module : modules) {
      module.setTargetsAttr(b.getArrayAttr(target));
      if (failed(serialize(module)))
        return signalPassFailure();
    }
  }
};
} // namespace
