//===- ProvePlan.cpp - --sparse-attn-prove-plan ---------------------------===//

#include "SparseAttn/Proof/Certificate.h"
#include "SparseAttn/Transforms/Passes.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNPROVEPLAN
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

/// Heads to try when the head count is dynamic and the mask differs by head.
constexpr int64_t kDefaultHeads = 8;

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
    LengthFacts facts = op.getLengthFacts();
    ShapedType query = op.getQueryType();
    int64_t heads = query.isDynamicDim(1) ? kDefaultHeads : query.getDimSize(1);
    Proof proof =
        provePlan(op.getMaskValue(), op.getPlan()->getPlan(), facts, heads);
    switch (proof.verdict) {
    case Verdict::Proven:
      op->emitRemark() << "plan proven (" << proof.method << ")";
      return success();
    case Verdict::Refuted:
      return reportRefuted(op, proof);
    case Verdict::Unsupported:
      if (failUnsupported)
        return op->emitOpError("plan not proven: ") << proof.reason;
      op->emitWarning() << "plan not proven: " << proof.reason;
      return success();
    }
    llvm_unreachable("unknown verdict");
  }

  LogicalResult reportRefuted(MaskedReductionOpInterface op,
                              const Proof &proof) {
    InFlightDiagnostic diagnostic =
        op->emitOpError("plan does not cover its mask: ");
    diagnostic << proof.reason;
    if (const std::optional<Witness> &w = proof.witness)
      diagnostic.attachNote()
          << "witness: head " << w->head << ", query position " << w->i
          << ", key position " << w->j << " at Sq = " << w->n.nq
          << ", Sk = " << w->n.nk;
    return diagnostic;
  }
};
} // namespace
