//===- TrustSteps.cpp - --sparse-attn-trust-steps -------------------------===//
//
// Loops of exact steps become loops of trusting ones, and a test of the state
// that they end with. The fallback path behind it is a loop of exact steps, or,
// where only sums are trusted, the same loops once more.
//
//===----------------------------------------------------------------------===//

#include "FallbackLoops.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "sparse-attn-trust-steps"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNTRUSTSTEPS
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

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

/// Makes the state that `loops` carry a trusting one.
static void makeTrusting(MutableArrayRef<scf::ForOp> loops, StateType exact) {
  StateType trusting = exact.withTrust(true);
  OpBuilder b(loops.front());
  Value initial = InitialStateOp::create(b, loops.front().getLoc(), trusting);
  loops.front().getInitArgsMutable()[0].set(initial);
  for (scf::ForOp loop : loops) {
    loop.getResult(0).setType(trusting);
    loop.getRegionIterArgs().front().setType(trusting);
  }
  for (StepOp step : stepsOf(loops))
    step.getResult().setType(trusting);
}

/// Makes the loops that end with `state` a trusting chain, which `settled`
/// makes exact again for everyone but `ours`.
static void replaceState(MutableArrayRef<scf::ForOp> loops, StateType exact,
                         Value settled,
                         const SmallPtrSet<Operation *, 4> &ours) {
  Value state = loops.back().getResult(0);
  state.replaceUsesWithIf(
      settled, [&](OpOperand &use) { return !ours.contains(use.getOwner()); });
  makeTrusting(loops, exact);
}

/// Puts what decides between both kinds of steps behind the last of `loops`.
static void addFallback(MutableArrayRef<scf::ForOp> loops) {
  StepOp step = stepsOf(loops).front();
  StateType exact = step.getState().getType();
  Location loc = step.getLoc();
  Value state = loops.back().getResult(0);
  OpBuilder b(loops.back());
  b.setInsertionPointAfter(loops.back());
  Value rows = numRows(b, loc, step.getQuery());
  Value trusted =
      IsTrustedOp::create(b, loc, state, rows, step.getStateScaleAttr());
  auto branch = scf::IfOp::create(b, loc, exact, trusted, /*withElse=*/true);
  OpBuilder inside = branch.getThenBodyBuilder();
  scf::YieldOp::create(inside, loc,
                       SettleOp::create(inside, loc, exact, state).getResult());
  inside = branch.getElseBodyBuilder();
  Value initial = RestartOp::create(inside, loc, exact, state);
  scf::YieldOp::create(inside, loc, repeatLoops(inside, loops, initial));
  SmallPtrSet<Operation *, 4> ours = {trusted.getDefiningOp()};
  branch.walk([&](Operation *op) { ours.insert(op); });
  replaceState(loops, exact, branch.getResult(0), ours);
}

/// Runs `loops` once more where a sum was too large: one copy of them, as both
/// times they are the same but for a factor.
static void runAgain(MutableArrayRef<scf::ForOp> loops) {
  StepOp step = stepsOf(loops).front();
  StateType exact = step.getState().getType();
  Location loc = step.getLoc();
  OpBuilder b(loops.back());
  b.setInsertionPointAfter(loops.back());
  Value state = loops.back().getResult(0);
  Value settled = SettleOp::create(b, loc, exact, state);
  replaceState(loops, exact, settled, {settled.getDefiningOp()});
  if (!exact.mayOverflow()) {
    LDBG() << "no sum of f16 values is too large: no second run";
    return;
  }
  StateType trusting = exact.withTrust(true);
  Value initial = loops.front().getInitArgs().front();
  b.setInsertionPoint(settled.getDefiningOp());
  auto attempts = scf::WhileOp::create(b, loc, trusting, initial);
  Block *before = b.createBlock(&attempts.getBefore(), {}, trusting, loc);
  for (scf::ForOp loop : loops)
    loop->moveBefore(before, before->end());
  loops.front().getInitArgsMutable()[0].set(before->getArgument(0));
  b.setInsertionPointToEnd(before);
  Value rows = numRows(b, loc, step.getQuery());
  Value trusted =
      IsTrustedOp::create(b, loc, state, rows, step.getStateScaleAttr());
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  Value again = arith::XOrIOp::create(b, loc, trusted, yes);
  scf::ConditionOp::create(b, loc, again, state);
  Block *after = b.createBlock(&attempts.getAfter(), {}, trusting, loc);
  Value restarted = RestartOp::create(b, loc, trusting, after->getArgument(0));
  scf::YieldOp::create(b, loc, restarted);
  settled.getDefiningOp()->setOperand(0, attempts.getResult(0));
}

namespace {
struct TrustStepsPass
    : sparse_attn::impl::SparseAttnTrustStepsBase<TrustStepsPass> {
  using Base::Base;

  void runOnOperation() override {
    if (trust != "sums" && trust != "operands") {
      getOperation()->emitError("unknown trust '")
          << trust << "'; use sums or operands";
      return signalPassFailure();
    }
    SmallVector<SmallVector<scf::ForOp>> chains;
    getOperation()->walk([&](Operation *op) {
      if (!isa<FinishOp, StoreStateOp, MergeStatesOp>(op))
        return;
      SmallVector<scf::ForOp> loops = loopsBehind(op->getOperand(0));
      if (!stepsOf(loops).empty())
        chains.push_back(loops);
    });
    for (MutableArrayRef<scf::ForOp> loops : chains)
      trust == "sums" ? runAgain(loops) : addFallback(loops);
  }
};
} // namespace
