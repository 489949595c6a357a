//===- SeparateReads.cpp - A read for each place of its tile --------------===//

#include "Form/TileForm.h"
#include "TileRing.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static SmallVector<TileRead> readsOf(gpu::LaunchOp launch) {
  SmallVector<TileRead> reads;
  launch.walk([&](Operation *op) {
    if (TileRead read{op})
      reads.push_back(read);
  });
  return reads;
}

/// Where queries and keys are one tensor, one read may serve as both operands,
/// which are staged apart: what is no left operand gets a read of its own.
static void separateOperands(gpu::LaunchOp launch) {
  for (TileRead read : readsOf(launch)) {
    auto isOnSide = [](unsigned side) {
      return [=](OpOperand &use) {
        return isa<vector::ContractionOp>(use.getOwner()) &&
               use.getOperandNumber() == side;
      };
    };
    if (llvm::none_of(read->getUses(), isOnSide(0)) ||
        llvm::none_of(read->getUses(), isOnSide(1)))
      continue;
    OpBuilder b(read.getOperation());
    Operation *copy = b.clone(*read.getOperation());
    read.getResult().replaceUsesWithIf(
        copy->getResult(0), [&](OpOperand &use) { return !isOnSide(0)(use); });
  }
}

/// Whether an operation brings tiles of its own: all but a product of tiles
/// that are there.
static bool bringsTiles(Operation &op) {
  return !isa<vector::ContractionOp>(op) && op.walk([](vector::ContractionOp) {
                                                return WalkResult::interrupt();
                                              }).wasInterrupted();
}

/// Whether operations behind `read` and before `user`, around which there may
/// be branches, bring tiles of their own.
static bool areTilesBetween(TileRead read, Operation *user) {
  for (Operation *op = user;; op = op->getParentOp()) {
    bool isBeside = op->getBlock() == read->getBlock();
    Block::iterator first =
        isBeside ? std::next(read->getIterator()) : op->getBlock()->begin();
    if (llvm::any_of(llvm::make_range(first, op->getIterator()), bringsTiles))
      return true;
    if (isBeside)
      return false;
  }
}

/// The outermost block inside of `ancestor` that holds `op`; the block of both
/// where they are one.
static Block *blockBelow(Operation *ancestor, Operation *op) {
  while (op != ancestor && op->getParentOp() != ancestor)
    op = op->getParentOp();
  return op->getBlock();
}

/// A tile that no loop brings stays in shared memory until the next loop brings
/// its own: what uses it after that gets a read of its own.
static void separateFromLoops(gpu::LaunchOp launch) {
  SmallVector<TileRead> reads = readsOf(launch);
  while (!reads.empty()) {
    TileRead read = reads.pop_back_val();
    if (!isOperand(read, Side::Right))
      continue;
    llvm::MapVector<Block *, SmallVector<OpOperand *>> uses;
    for (OpOperand &use : read->getUses()) {
      Operation *user = use.getOwner();
      Operation *ancestor = read->getBlock()->findAncestorOpInBlock(*user);
      if (areTilesBetween(read, user))
        uses[blockBelow(ancestor, user)].push_back(&use);
    }
    for (auto &[block, operands] : uses) {
      Operation *first = nullptr;
      for (OpOperand *use : operands) {
        Operation *user = block->findAncestorOpInBlock(*use->getOwner());
        if (!first || user->isBeforeInBlock(first))
          first = user;
      }
      OpBuilder b(first);
      TileRead copy(b.clone(*read.getOperation()));
      for (OpOperand *use : operands)
        use->set(copy.getResult());
      reads.push_back(copy);
    }
    if (read->use_empty())
      read->erase();
  }
}

void kernels::separateReads(gpu::LaunchOp launch) {
  separateOperands(launch);
  separateFromLoops(launch);
}
