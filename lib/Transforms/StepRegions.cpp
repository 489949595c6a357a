//===- StepRegions.cpp - The regions of a step in a target's code ---------===//

#include "StepRegions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static Value toI32(OpBuilder &b, Location loc, Value x) {
  return arith::IndexCastOp::create(b, loc, b.getI32Type(), x);
}

StepRegions::StepRegions(OpBuilder &b, StepOp step, Value row, Value key)
    : step(step) {
  if (!step.hasMask() && !step.hasScore())
    return;
  firstRow = toI32(b, step.getLoc(), row);
  firstKey = toI32(b, step.getLoc(), key);
  if (!step.hasScore())
    return;
  Block &score = step.getScore().front();
  shared.map(score.getArgument(1), step.getBatch());
  shared.map(score.getArgument(2), step.getHead());
  // A slope of the head, say: targets need not know such an op on tiles.
  for (Operation &op : score.without_terminator()) {
    bool isShared = llvm::all_of(op.getOperands(), [&](Value operand) {
      return operand.getParentBlock() != &score || shared.contains(operand);
    });
    if (isShared && op.getNumRegions() == 0 && isMemoryEffectFree(&op))
      b.clone(op, shared);
  }
}

Value StepRegions::positionOf(OpBuilder &b, Value first, Value index) const {
  Location loc = step->getLoc();
  return arith::AddIOp::create(b, loc, first, toI32(b, loc, index));
}

Value StepRegions::copy(OpBuilder &b, Region &region, IRMapping mapping) {
  Block &block = region.front();
  for (Operation &op : block.without_terminator())
    if (!mapping.contains(&op))
      b.clone(op, mapping);
  return mapping.lookupOrDefault(
      cast<YieldOp>(block.getTerminator()).getValue());
}

Value StepRegions::score(OpBuilder &b, Value score, Value k, Value q) const {
  Region &region = StepOp(step).getScore();
  IRMapping mapping = shared;
  mapping.map(region.getArgument(0), score);
  mapping.map(region.getArgument(3), positionOf(b, firstRow, q));
  mapping.map(region.getArgument(4), positionOf(b, firstKey, k));
  return copy(b, region, std::move(mapping));
}

Value StepRegions::isAllowed(OpBuilder &b, Value k, Value q) const {
  Region &region = StepOp(step).getMask();
  IRMapping mapping;
  mapping.map(region.getArgument(0), positionOf(b, firstRow, q));
  mapping.map(region.getArgument(1), positionOf(b, firstKey, k));
  return copy(b, region, std::move(mapping));
}
