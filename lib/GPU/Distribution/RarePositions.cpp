//===- RarePositions.cpp - Positions of what is rare ----------------------===//
//
// The fallback path asks the same mask as the loops before it. If it took the
// positions and limits of rows from them, every thread would keep these in
// registers through the loops over full tiles, which need none.
//
//===----------------------------------------------------------------------===//

#include "RarePositions.h"
#include "FewRegisters.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

bool kernels::hasProducts(scf::ForOp loop) {
  return loop
      .walk([](vector::ContractionOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

bool kernels::hasLoopsOfProducts(Region &region) {
  return region
      .walk([](scf::ForOp loop) {
        return hasProducts(loop) ? WalkResult::interrupt()
                                 : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether a vector has numbers that depend on nothing but places in a tile and
/// scalars.
static bool isOfPlaces(Value value) {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type)
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || !type.getElementType().isIntOrIndex() ||
      op->getNumRegions() != 0 || op->getNumResults() != 1)
    return false;
  bool isKnown = isa<vector::StepOp, vector::BroadcastOp, vector::TransposeOp,
                     arith::ConstantOp>(op) ||
                 OpTrait::hasElementwiseMappableTraits(op);
  return isKnown && llvm::all_of(op->getOperands(), isOfPlaces);
}

/// A copy, with copies of all vectors that it is made of.
static Value copyOf(OpBuilder &b, Value value, IRMapping &map) {
  Operation *op = value.getDefiningOp();
  if (map.contains(value) || !isa<VectorType>(value.getType()) ||
      isa<arith::ConstantOp>(op))
    return map.lookupOrDefault(value);
  for (Value operand : op->getOperands())
    (void)copyOf(b, operand, map);
  return b.clone(*op, map)->getResult(0);
}

static void bringInto(Block &body) {
  llvm::SetVector<Value> outside;
  body.walk([&](Operation *op) {
    for (Value operand : op->getOperands()) {
      Operation *source = operand.getDefiningOp();
      if (isa<VectorType>(operand.getType()) && source &&
          !isa<arith::ConstantOp>(source) && isOfPlaces(operand) &&
          !body.findAncestorOpInBlock(*source))
        outside.insert(operand);
    }
  });
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  IRMapping map;
  for (Value value : outside) {
    Value copy = copyOf(b, value, map);
    value.replaceUsesWithIf(copy, [&](OpOperand &use) {
      return copy.getDefiningOp() != use.getOwner() &&
             body.findAncestorOpInBlock(*use.getOwner());
    });
  }
}

/// What has copies everywhere where it was used.
static void eraseUnused(gpu::LaunchOp launch) {
  SmallVector<Operation *> vectors;
  launch.getBody().walk([&](Operation *op) {
    if (op->getNumResults() == 1 &&
        isa<VectorType>(op->getResult(0).getType()) &&
        isOfPlaces(op->getResult(0)))
      vectors.push_back(op);
  });
  for (Operation *op : llvm::reverse(vectors))
    if (isOpTriviallyDead(op))
      op->erase();
}

/// Registers in which a thread has what the products of a loop come to.
static int64_t accumulatorsOf(gpu::LaunchOp launch, int64_t numThreads) {
  int64_t most = 0;
  launch.getBody().walk([&](scf::ForOp loop) {
    int64_t elements = 0;
    loop.walk([&](vector::ContractionOp product) {
      elements += cast<VectorType>(product.getResultType()).getNumElements();
    });
    most = std::max(most, elements / numThreads);
  });
  return most;
}

void kernels::bringPositions(gpu::LaunchOp launch, int64_t numThreads) {
  if (!leavesFewRegisters(accumulatorsOf(launch, numThreads)))
    return;
  launch.getBody().walk([](scf::IfOp branch) {
    if (llvm::none_of(branch.getResultTypes(), llvm::IsaPred<VectorType>))
      return;
    for (Region &region : branch->getRegions())
      if (hasLoopsOfProducts(region))
        bringInto(region.front());
  });
  eraseUnused(launch);
}
