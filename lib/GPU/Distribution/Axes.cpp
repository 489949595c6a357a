//===- Axes.cpp - Whether a vector runs along rows or columns -------------===//

#include "Axes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static bool isRankOne(Value value) {
  auto type = dyn_cast<VectorType>(value.getType());
  return type && type.getRank() == 1;
}

/// True when a tile, made of a vector by a broadcast along its first dimension,
/// is transposed before it meets other tiles: then the vector holds rows.
static bool isTransposedLater(Value tile) {
  for (Operation *user : tile.getUsers()) {
    if (isa<vector::TransposeOp>(user))
      return true;
    if (OpTrait::hasElementwiseMappableTraits(user) &&
        user->getNumResults() == 1 && isTransposedLater(user->getResult(0)))
      return true;
  }
  return false;
}

/// True for a vector of numbers that depends on nothing but places in a tile
/// and scalars.
static bool isPosition(Value value) {
  if (!isa<VectorType>(value.getType()))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumRegions() != 0 || op->getNumResults() != 1)
    return false;
  if (isa<vector::StepOp, arith::ConstantOp>(op))
    return true;
  if (!isRankOne(value) && !isa<vector::BroadcastOp>(op))
    return false;
  return (isa<vector::BroadcastOp>(op) ||
          OpTrait::hasElementwiseMappableTraits(op)) &&
         llvm::all_of(op->getOperands(), isPosition);
}

void kernels::separatePositions(gpu::LaunchOp launch) {
  SmallVector<Operation *> positions;
  launch.getBody().walk([&](Operation *op) {
    if (op->getNumResults() == 1 &&
        isa<VectorType>(op->getResult(0).getType()) &&
        !isa<arith::ConstantOp>(op) && isPosition(op->getResult(0)))
      positions.push_back(op);
  });
  // Users first, so that a copy's operands get copies in their turn.
  for (Operation *op : llvm::reverse(positions)) {
    OpBuilder b(op);
    for (OpOperand &use :
         llvm::make_early_inc_range(llvm::drop_begin(op->getUses())))
      use.set(b.clone(*op)->getResult(0));
  }
}

void Axes::number(Value value) { numbers.try_emplace(value, numbers.size()); }

/// Constants of one value may serve both axes: they tie nothing.
void Axes::tie(Value a, Value b) {
  if (isRankOne(a) && isRankOne(b) && !a.getDefiningOp<arith::ConstantOp>() &&
      !b.getDefiningOp<arith::ConstantOp>()) {
    number(a);
    number(b);
    ties.push_back({numbers[a], numbers[b]});
  }
}

void Axes::visit(Operation *op) {
  if (auto broadcast = dyn_cast<vector::BroadcastOp>(op)) {
    if (isRankOne(broadcast.getSource()) && !isRankOne(broadcast.getVector())) {
      number(broadcast.getSource());
      if (!isTransposedLater(broadcast.getVector()))
        alongColumns.push_back(numbers[broadcast.getSource()]);
    }
    return;
  }
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    for (auto [init, arg, yielded, result] :
         llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(),
                   loop.getYieldedValues(), loop.getResults())) {
      tie(arg, init);
      tie(arg, yielded);
      tie(arg, result);
    }
    return;
  }
  if (auto branch = dyn_cast<scf::IfOp>(op); branch && branch.elseBlock()) {
    for (auto [result, then, otherwise] :
         llvm::zip(branch.getResults(), branch.thenYield().getOperands(),
                   branch.elseYield().getOperands())) {
      tie(result, then);
      tie(result, otherwise);
    }
    return;
  }
  if (auto gather = dyn_cast<vector::GatherOp>(op)) {
    tie(gather.getResult(), gather.getIndices());
    return;
  }
  if (!OpTrait::hasElementwiseMappableTraits(op))
    return;
  SmallVector<Value> values(op->getResults());
  llvm::append_range(values, op->getOperands());
  for (size_t i = 1; i < values.size(); ++i)
    tie(values[0], values[i]);
}

Axes::Axes(gpu::LaunchOp launch) {
  launch.getBody().walk([&](Operation *op) { visit(op); });
  classes.grow(numbers.size());
  for (auto [a, b] : ties)
    classes.join(a, b);
  for (unsigned number : alongColumns)
    columnClasses.insert(classes.findLeader(number));
}

bool Axes::isAlongColumns(Value value) const {
  auto known = numbers.find(value);
  return known != numbers.end() &&
         columnClasses.contains(classes.findLeader(known->second));
}
