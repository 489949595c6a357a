//===- TileLoop.cpp - Loops of one step over key tiles --------------------===//

#include "TileLoop.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

void TileLoop::findReach() {
  auto isOfReach = [&](OpOperand &use) {
    return use.getOwner() == step &&
           llvm::is_contained({step.getLiveBegin(), step.getLiveEnd(),
                               step.getFullBegin(), step.getFullEnd()},
                              use.get());
  };
  for (Operation &op : llvm::reverse(loop.getBody()->without_terminator())) {
    auto servesReach = [&](OpOperand &use) {
      return reach.contains(use.getOwner()) || isOfReach(use);
    };
    if (isMemoryEffectFree(&op) && !op.use_empty() &&
        llvm::all_of(op.getUses(), servesReach))
      reach.insert(&op);
  }
}

/// True where no value but the position itself leaves what computes it.
bool TileLoop::positionIsAll() {
  Operation *last = step.getKeyPosition().getDefiningOp();
  return llvm::all_of(position, [&](Operation *op) {
    return op == last || llvm::all_of(op->getUsers(), [&](Operation *user) {
             Operation *inBody = loop.getBody()->findAncestorOpInBlock(*user);
             return position.contains(inBody) || reach.contains(inBody);
           });
  });
}

std::optional<TileLoop> TileLoop::match(scf::ForOp loop) {
  if (getConstantIntValue(loop.getStep()) != int64_t(1))
    return std::nullopt;
  TileLoop result;
  result.loop = loop;
  auto steps = loop.getBody()->getOps<StepOp>();
  if (!llvm::hasSingleElement(steps))
    return std::nullopt;
  result.step = *steps.begin();
  if (!result.step.getKeyPosition())
    return std::nullopt;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitBlockArguments = true;
  options.omitUsesFromAbove = false;
  options.filter = [&](Operation *op) {
    return op->getBlock() == loop.getBody();
  };
  if (failed(getBackwardSlice(result.step.getKeyPosition(), &result.position,
                              options)))
    return std::nullopt;
  result.findReach();
  auto isPosition = [&](Operation *user) {
    Operation *inBody = loop.getBody()->findAncestorOpInBlock(*user);
    return result.position.contains(inBody) || result.reach.contains(inBody);
  };
  if (!llvm::all_of(loop.getInductionVar().getUsers(), isPosition) ||
      !result.positionIsAll())
    return std::nullopt;
  return result;
}

Value TileLoop::emitPosition(OpBuilder &b, Value t) {
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), t);
  for (Operation *op : position)
    b.clone(*op, mapping);
  return mapping.lookupOrDefault(step.getKeyPosition());
}

bool TileLoop::isLike(TileLoop &other) {
  StepOp theirs = other.step;
  return step.getScale() == theirs.getScale() &&
         step.getKeys() == theirs.getKeys() &&
         step.getBatch() == theirs.getBatch() &&
         step.getHead() == theirs.getHead() &&
         OperationEquivalence::isRegionEquivalentTo(
             &step.getScore(), &theirs.getScore(),
             OperationEquivalence::IgnoreLocations);
}
