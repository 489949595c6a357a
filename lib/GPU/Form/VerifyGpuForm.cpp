//===- VerifyGpuForm.cpp - --sparse-attn-verify-gpu-form ------------------===//

#include "FormVerifier.h"
#include "SparseAttn/GPU/Passes.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNVERIFYGPUFORM
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

namespace {
struct VerifyGpuFormPass
    : sparse_attn::impl::SparseAttnVerifyGpuFormBase<VerifyGpuFormPass> {
  using Base::Base;

  void runOnOperation() override {
    bool isInForm = true;
    getOperation().walk<WalkOrder::PreOrder>([&](scf::ForallOp grid) {
      isInForm &= succeeded(FormVerifier(grid).run());
      return WalkResult::skip();
    });
    if (!isInForm)
      signalPassFailure();
    else
      markAllAnalysesPreserved();
  }
};
} // namespace
