//===- ExternShared.cpp - --sparse-attn-extern-shared ---------------------===//

#include "SparseAttn/GPU/Passes.h"
#include "Staging/SharedLayout.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNEXTERNSHARED
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

/// Dynamic shared memory as upstream's lowering leaves it: of a size that is
/// known at launch only.
static bool isDynamicShared(LLVM::GlobalOp global) {
  auto type = dyn_cast<LLVM::LLVMArrayType>(global.getGlobalType());
  return type && type.getNumElements() == 0 &&
         global.getAddrSpace() ==
             static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared);
}

namespace {
struct ExternSharedPass
    : sparse_attn::impl::SparseAttnExternSharedBase<ExternSharedPass> {
  using Base::Base;

  void runOnOperation() override {
    for (auto global : getOperation().getOps<LLVM::GlobalOp>()) {
      if (!isDynamicShared(global))
        continue;
      global.setLinkage(LLVM::Linkage::External);
      global.setAlignment(kSharedAlignment);
    }
  }
};
} // namespace
