//===- LowerHost.cpp - --sparse-attn-lower-host ---------------------------===//

#include "SparseAttn/Emulator/Passes.h"
#include "SparseAttn/Pipelines/Pipelines.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNLOWERHOST
#include "SparseAttn/Emulator/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

static bool isLowered(LLVM::LLVMFuncOp function) {
  return !function
              .walk([](Operation *op) {
                return isa_and_nonnull<LLVM::LLVMDialect>(op->getDialect())
                           ? WalkResult::advance()
                           : WalkResult::interrupt();
              })
              .wasInterrupted();
}

namespace {
/// The bodies of lowered functions, outside of their module. The functions are
/// declarations there until the bodies are put back.
class BodiesAside {
public:
  explicit BodiesAside(ModuleOp module) : module(module) {
    for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
      if (function.isExternal() || !isLowered(function))
        continue;
      Aside &aside = functions.emplace_back();
      aside.name = function.getSymNameAttr();
      aside.linkage = function.getLinkage();
      aside.body = std::make_unique<Region>();
      aside.body->takeBody(function.getBody());
      function.setLinkage(LLVM::Linkage::External);
    }
  }

  void putBack() {
    for (Aside &aside : functions) {
      auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(aside.name);
      function.getBody().takeBody(*aside.body);
      function.setLinkage(aside.linkage);
    }
  }

private:
  struct Aside {
    StringAttr name;
    LLVM::Linkage linkage;
    std::unique_ptr<Region> body;
  };

  ModuleOp module;
  SmallVector<Aside> functions;
};

struct LowerHostPass
    : sparse_attn::impl::SparseAttnLowerHostBase<LowerHostPass> {
  using SparseAttnLowerHostBase::SparseAttnLowerHostBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    OpPassManager pipeline(ModuleOp::getOperationName());
    buildHostPipeline(pipeline);
    pipeline.getDependentDialects(registry);
    registry.insert<LLVM::LLVMDialect>();
  }

  void runOnOperation() override {
    BodiesAside kernels(getOperation());
    OpPassManager pipeline(ModuleOp::getOperationName());
    buildHostPipeline(pipeline);
    LogicalResult lowered = runPipeline(pipeline, getOperation());
    kernels.putBack();
    if (failed(lowered))
      signalPassFailure();
  }
};
} // namespace
