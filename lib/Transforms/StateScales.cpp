//===- StateScales.cpp - The scale that a state is read with --------------===//

#include "StateScales.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

/// The values that `to`, an argument of a region or a result of a loop or a
/// branch, may be.
static SmallVector<Value> forwarded(RegionBranchOpInterface branch, Value to) {
  SmallVector<Value> values;
  for (RegionBranchPoint point : branch.getAllRegionBranchPoints()) {
    SmallVector<RegionSuccessor> successors;
    branch.getSuccessorRegions(point, successors);
    for (const RegionSuccessor &successor : successors) {
      OperandRange operands = point.isParent()
                                  ? branch.getEntrySuccessorOperands(successor)
                                  : cast<RegionBranchTerminatorOpInterface>(
                                        point.getTerminatorPredecessorOrNull())
                                        .getSuccessorOperands(successor);
      for (auto [input, operand] :
           llvm::zip_equal(successor.getSuccessorInputs(), operands))
        if (input == to)
          values.push_back(operand);
    }
  }
  return values;
}

/// What the value of a state comes from, one op or one turn of a loop back.
static SmallVector<Value> sourcesOf(Value state) {
  Operation *op = state.getDefiningOp();
  if (!op)
    op = state.getParentBlock()->getParentOp();
  if (auto branch = dyn_cast<RegionBranchOpInterface>(op))
    return forwarded(branch, state);
  if (isa<StepOp, SettleOp, RestartOp>(op))
    return {op->getOperand(0)};
  if (isa<MergeStatesOp>(op))
    return op->getOperands();
  return {};
}

/// The scale that is left to apply to the state that `op` has made, if it
/// makes one of a scale.
static FloatAttr scaleOf(Operation *op) {
  if (auto step = dyn_cast_or_null<StepOp>(op))
    return step.getStateScaleAttr();
  if (auto merge = dyn_cast_or_null<MergeStoredOp>(op))
    return merge.getScaleAttr();
  if (isa_and_nonnull<ResultStateOp>(op))
    return Builder(op->getContext()).getF64FloatAttr(1.0);
  return {};
}

/// Checks that whatever `state` comes from has the scale that `reader` takes.
static LogicalResult verifyScale(Operation *reader, Value state,
                                 FloatAttr scale) {
  llvm::SetVector<Value> behind;
  behind.insert(state);
  for (size_t next = 0; next < behind.size(); ++next) {
    for (Value source : sourcesOf(behind[next]))
      behind.insert(source);
    Operation *maker = behind[next].getDefiningOp();
    FloatAttr left = scaleOf(maker);
    if (!left || left == scale)
      continue;
    InFlightDiagnostic error = reader->emitOpError()
                               << "must have scale(" << left.getValueAsDouble()
                               << "), which its state is left with, got scale("
                               << scale.getValueAsDouble() << ")";
    auto step = dyn_cast<StepOp>(maker);
    error.attachNote(maker->getLoc())
        << (step && step.hasScore()
                ? "this step applies its own scale before its score region"
                : "the state is made here");
    return failure();
  }
  return success();
}

LogicalResult transforms::verifyStateScales(Operation *root) {
  WalkResult result = root->walk([](Operation *op) -> WalkResult {
    if (auto finish = dyn_cast<FinishOp>(op))
      return verifyScale(op, finish.getState(), finish.getScaleAttr());
    if (auto test = dyn_cast<IsTrustedOp>(op))
      return verifyScale(op, test.getState(), test.getScaleAttr());
    if (auto merge = dyn_cast<MergeStatesOp>(op))
      return verifyScale(op, merge.getState(), merge.getScaleAttr());
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
