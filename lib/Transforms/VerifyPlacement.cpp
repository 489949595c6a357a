//===- VerifyPlacement.cpp - --sparse-attn-verify-placement ---------------===//

#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNVERIFYPLACEMENT
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
struct VerifyPlacementPass
    : sparse_attn::impl::SparseAttnVerifyPlacementBase<VerifyPlacementPass> {
  void runOnOperation() override {
    bool isSound = true;
    getOperation().walk([&](Operation *op) {
      if (!isa<MaskedReductionOpInterface, MergeOp>(op))
        return;
      Operation *func = op->getParentOfType<FunctionOpInterface>();
      if (isa_and_nonnull<func::FuncOp>(func) &&
          func->getParentOp() == getOperation())
        return;
      isSound = false;
      op->emitOpError("stands in no func.func of the module that is compiled, "
                      "where passes look for it; move it into one, or compile "
                      "the inner module that has its function");
    });
    if (!isSound)
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
