//===- DistributeValues.cpp - Values in registers -------------------------===//

#include "Distribution.h"
#include "Form/TileForm.h"
#include "Fragments/FlatTile.h"
#include "Fragments/PendingSums.h"
#include "Fragments/Progression.h"
#include "Fragments/Transfers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

/// The operands are elements of one staged tile, in whatever order.
LogicalResult Distribution::flatElementwise(Operation *op) {
  Location loc = op->getLoc();
  SmallVector<Fragment> operands;
  int64_t count = 0;
  for (Value operand : op->getOperands()) {
    Fragment fragment = fragmentOf(operand);
    if (fragment.staged.pointer)
      fragment = loadFlat(b, loc, threads, fragment.staged);
    if (fragment.isFlat)
      count = cast<VectorType>(fragment.lanes.getType()).getNumElements();
    else if (!fragment.extent.isUniform())
      return emitNotInForm(op);
    operands.push_back(fragment);
  }
  IRMapping map;
  for (auto [operand, fragment] : llvm::zip(op->getOperands(), operands)) {
    if (!fragment.isFlat) {
      auto type = VectorType::get({count}, fragment.lanes.getType());
      fragment.lanes =
          vector::BroadcastOp::create(b, loc, type, fragment.lanes);
    }
    map.map(operand, fragment.lanes);
  }
  Operation *clone = b.clone(*op, map);
  Value result = op->getResult(0);
  clone->getResult(0).setType(
      VectorType::get({count}, getElementTypeOrSelf(result)));
  fragments[result].lanes = clone->getResult(0);
  fragments[result].isFlat = true;
  return success();
}

LogicalResult Distribution::elementwise(Operation *op) {
  if (llvm::any_of(op->getOperands(), [&](Value operand) {
        Fragment fragment = fragmentOf(operand);
        return fragment.isFlat || fragment.staged.pointer;
      }))
    return flatElementwise(op);
  Value result = op->getResult(0);
  auto shape = cast<VectorType>(result.getType());
  auto known = [&](Value value) { return fragmentOf(value); };
  std::optional<Fragment> kept = continueProgression(b, op, known);
  if (!kept)
    kept = joinWithRows(b, op, threads, shapeOf(shape).first, known);
  if (kept) {
    fragments[result] = *kept;
    return success();
  }
  bool isPendingSum =
      staysPendingSum(op, [&](Value v) { return fragmentOf(v).isPendingSum; });
  Extent extent;
  for (Value operand : op->getOperands())
    extent = extent.join(fragmentOf(operand).extent);
  IRMapping map;
  auto [rows, columns] = shapeOf(shape);
  for (Value operand : op->getOperands()) {
    if (!isVector(operand))
      continue;
    Fragment fragment = isPendingSum ? fragmentOf(operand) : complete(operand);
    map.map(operand,
            threads.expand(b, op->getLoc(), fragment, extent, rows, columns));
  }
  Operation *clone = b.clone(*op, map);
  clone->getResult(0).setType(lanesType(shape.getElementType(), extent,
                                        threads.count(extent, rows, columns)));
  setLanes(result, extent, clone->getResult(0), isPendingSum);
  return success();
}

LogicalResult Distribution::broadcast(vector::BroadcastOp op) {
  Fragment fragment = fragmentOf(op.getSource());
  fragments[op.getVector()] =
      fragment.isPendingSum ? complete(op.getSource()) : fragment;
  return success();
}

/// The only transposes are those of a tile that repeats one row value along
/// its columns: the value is the same.
LogicalResult Distribution::transpose(vector::TransposeOp op) {
  Fragment fragment = complete(op.getVector());
  if (fragment.extent.isTile())
    return emitNotInForm(op);
  fragments[op.getResult()] = fragment;
  return success();
}

/// The number of each row, or of each column.
LogicalResult Distribution::step(vector::StepOp op) {
  Location loc = op.getLoc();
  auto [rows, columns] = shapeOf(op.getType());
  if (naturalExtent(op.getResult()).columns) {
    fragments[op.getResult()] = columnNumbers(b, loc, threads, columns);
    return success();
  }
  SmallVector<Value> numbers;
  for (int64_t i = 0; i < 2 * threads.bands(rows); ++i)
    numbers.push_back(arith::IndexCastUIOp::create(
        b, loc, b.getIndexType(), threads.rowOf(b, loc, rows, i / 2, i % 2)));
  auto type =
      VectorType::get({static_cast<int64_t>(numbers.size())}, b.getIndexType());
  setLanes(op.getResult(), {true, false},
           vector::FromElementsOp::create(b, loc, type, numbers));
  return success();
}
