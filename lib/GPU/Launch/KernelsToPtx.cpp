//===- KernelsToPtx.cpp - --sparse-attn-kernels-to-ptx --------------------===//

#include "Launch/OptimizeKernels.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/Target/Target.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVM/NVVM/Utils.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNKERNELSTOPTX
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

namespace {
/// Upstream's way from a gpu.module to PTX, with our passes between.
class KernelSerializer : public NVVM::SerializeGPUModuleBase {
public:
  KernelSerializer(gpu::GPUModuleOp module, NVVM::NVVMTargetAttr target,
                   const gpu::TargetOptions &options)
      : SerializeGPUModuleBase(*module, target, options),
        gpu(target::findGpu(target.getChip())) {}

private:
  LogicalResult optimizeModule(llvm::Module &module, int) override;
  FailureOr<SmallVector<char, 0>> moduleToObject(llvm::Module &module) override;

  const target::GpuTarget *gpu; ///< null where no target has the chip's name
};
} // namespace

LogicalResult KernelSerializer::optimizeModule(llvm::Module &module, int) {
  FailureOr<llvm::TargetMachine *> machine = getOrCreateTargetMachine();
  if (failed(machine))
    return failure();
  optimizeKernels(module, **machine, gpu ? gpu->pairs.mostCarried : INT64_MAX);
  return success();
}

FailureOr<SmallVector<char, 0>>
KernelSerializer::moduleToObject(llvm::Module &module) {
  FailureOr<llvm::TargetMachine *> machine = getOrCreateTargetMachine();
  if (failed(machine))
    return failure();
  FailureOr<SmallString<0>> ptx = translateModuleToISA(
      module, **machine, [&] { return getOperation().emitError(); });
  if (failed(ptx))
    return failure();
  return SmallVector<char, 0>(ptx->begin(), ptx->end());
}

/// Replaces a module of kernels by their PTX, and by nothing else of it.
static LogicalResult serialize(gpu::GPUModuleOp module,
                               NVVM::NVVMTargetAttr target) {
  gpu::TargetOptions options(/*toolkitPath=*/{}, /*librariesToLink=*/{},
                             /*cmdOptions=*/{}, /*elfSection=*/{},
                             gpu::CompilationTarget::Assembly);
  KernelSerializer::init();
  KernelSerializer serializer(module, target, options);
  std::optional<SmallVector<char, 0>> ptx = serializer.run();
  if (!ptx)
    return module.emitError("kernels could not be made PTX for ")
           << target.getChip();
  OpBuilder b(module);
  Attribute object = cast<gpu::TargetAttrInterface>(Attribute(target))
                         .createObject(module, *ptx, options);
  auto binary = gpu::BinaryOp::create(b, module.getLoc(), module.getName(),
                                      /*offloadingHandler=*/Attribute(),
                                      ArrayRef<Attribute>(object));
  binary->setAttr(kKernelsAttr, b.getUnitAttr());
  module.erase();
  return success();
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
    for (gpu::GPUModuleOp module : modules)
      if (failed(serialize(module, target)))
        return signalPassFailure();
  }
};
} // namespace
