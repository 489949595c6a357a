//===- TrustSteps.cpp - --sparse-attn-trust-steps -------------------------===//
//
// Loops of exact steps become loops of trusting ones, a test of the state that
// they end with, and the exact ones behind it as the fallback path.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNTRUSTSTEPS
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// The loops, first to last, that lead from an initial state to `state`, of
/// which each carries nothing else; empty where something else does.
static SmallVector<scf::ForOp> loopsBehind(Value state) {
  SmallVector<scf::ForOp> loops;
  while (auto loop = state.getDefiningOp<scf::ForOp>()) {
    if (loop.getNumResults() != 1)
      return {};
    loops.push_back(loop);
    state = loop.getInitArgs().front();
  }
  if (!state.getDefiningOp<InitialStateOp>())
    return {};
  std::reverse(loops.begin(), loops.end());
  return loops;
}

static SmallVector<StepOp> stepsOf(ArrayRef<scf::ForOp> loops) {
  SmallVector<StepOp> steps;
  for (scf::ForOp loop : loops)
    loop.walk([&](StepOp step) { steps.push_back(step); });
  return steps;
}

/// Copies of `loops` at `b`, from the same initial state on.
static Value cloneLoops(OpBuilder &b, ArrayRef<scf::ForOp> loops) {
  IRMapping mapping;
  Operation *last = nullptr;
  for (scf::ForOp loop : loops)
    last = b.clone(*loop, mapping);
  return last->getResult(0);
}

/// Puts what decides between both kinds of steps behind the last of `loops`.
static void addFallback(ArrayRef<scf::ForOp> loops) {
  SmallVector<StepOp> steps = stepsOf(loops);
  scf::ForOp last = loops.back();
  Location loc = steps.front().getLoc();
  OpBuilder b(last);
  b.setInsertionPointAfter(last);
  Value rows = numRows(b, loc, steps.front().getQuery());
  Value state = last.getResult(0);
  Value trusted =
      IsTrustedOp::create(b, loc, state, rows, steps.front().getScaleAttr());
  auto branch = scf::IfOp::create(b, loc, state.getType(), trusted,
                                  /*withElse=*/true);
  OpBuilder inside = branch.getThenBodyBuilder();
  scf::YieldOp::create(inside, loc, state);
  inside = branch.getElseBodyBuilder();
  scf::YieldOp::create(inside, loc, cloneLoops(inside, loops));
  state.replaceUsesWithIf(branch.getResult(0), [&](OpOperand &use) {
    return use.getOwner() != trusted.getDefiningOp() &&
           !branch->isProperAncestor(use.getOwner());
  });
  for (StepOp step : steps)
    step.setTrusting(true);
}

namespace {
struct TrustStepsPass
    : sparse_attn::impl::SparseAttnTrustStepsBase<TrustStepsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<SmallVector<scf::ForOp>> chains;
    getOperation()->walk([&](Operation *op) {
      if (!isa<FinishOp, StoreStateOp>(op))
        return;
      SmallVector<scf::ForOp> loops = loopsBehind(op->getOperand(0));
      if (!stepsOf(loops).empty())
        chains.push_back(loops);
    });
    for (ArrayRef<scf::ForOp> loops : chains)
      addFallback(loops);
  }
};
} // namespace
