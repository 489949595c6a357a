//===- StepRegions.cpp - The regions of a step in a target's code ---------===//

#include "StepRegions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static Value toI32(OpBuilder &b, Location loc, Value x) {
  return arith::IndexCastOp::create(b, loc, b.getI32Type(), x);
}

StepRegions::StepRegions(OpBuilder &b, StepOp step, Value rows, Value keys)
    : step(step) {
  if (!step.hasMask() && !step.hasScore())
    return;
  if (step.getRowPositions())
    rowPositions = rows;
  else
    firstRow = toI32(b, step.getLoc(), rows);
  if (step.getKeyPositions())
    keyPositions = keys;
  else
    firstKey = toI32(b, step.getLoc(), keys);
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

Value StepRegions::rowPosition(OpBuilder &b, Value q) const {
  Location loc = step->getLoc();
  if (rowPositions)
    return tensor::ExtractOp::create(b, loc, rowPositions, q);
  return arith::AddIOp::create(b, loc, firstRow, toI32(b, loc, q));
}

Value StepRegions::keyPosition(OpBuilder &b, Value k) const {
  Location loc = step->getLoc();
  if (keyPositions)
    return tensor::ExtractOp::create(b, loc, keyPositions, k);
  return arith::AddIOp::create(b, loc, firstKey, toI32(b, loc, k));
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
  mapping.map(region.getArgument(3), rowPosition(b, q));
  mapping.map(region.getArgument(4), keyPosition(b, k));
  return copy(b, region, std::move(mapping));
}

Value StepRegions::isAllowed(OpBuilder &b, Value k, Value q) const {
  Region &region = StepOp(step).getMask();
  IRMapping mapping;
  mapping.map(region.getArgument(0), rowPosition(b, q));
  mapping.map(region.getArgument(1), keyPosition(b, k));
  return copy(b, region, std::move(mapping));
}
