//===- ProvePlan.cpp - --sparse-attn-prove-plan ---------------------------===//

#include "PlanProof.h"
#include "SparseAttn/Transforms/Passes.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNPROVEPLAN
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::proof;

namespace {
struct ProvePlanPass
    : sparse_attn::impl::SparseAttnProvePlanBase<ProvePlanPass> {
  using Base::Base;

  void runOnOperation() override {
    WalkResult result =
        getOperation()->walk([&](MaskedReductionOpInterface op) {
          return succeeded(prove(op)) ? WalkResult::advance()
                                      : WalkResult::interrupt();
        });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult prove(MaskedReductionOpInterface op) {
    if (!op.getPlan())
      return op->emitOpError(
          "has no plan to prove; run 'sparse-attn-plan' first");
    Proof proof = transforms::provePlan(op);
    switch (proof.verdict) {
    case Verdict::Proven:
      emitRemark(op.getLoc()) << "plan proven (" << proof.method << ")";
      return success();
    case Verdict::Refuted:
      return transforms::reportRefuted(op, proof);
    case Verdict::Unsupported:
      if (failUnsupported)
        return op->emitOpError("plan not proven: ") << proof.reason;
      emitWarning(op.getLoc()) << "plan not proven: " << proof.reason;
      return success();
    }
    llvm_unreachable("unknown verdict");
  }
};
} // namespace
