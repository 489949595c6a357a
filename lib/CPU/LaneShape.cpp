//===- LaneShape.cpp - How values of a body differ between lanes ----------===//

#include "LaneShape.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

/// The shape of x + uniform, x - uniform and of x in another type.
static LaneShape combine(Operation *op, ArrayRef<LaneShape> operands) {
  if (isa<arith::IndexCastOp>(op))
    return operands[0];
  if (isa<arith::AddIOp>(op) && operands[0] == LaneShape::Uniform)
    return operands[1];
  if (isa<arith::AddIOp, arith::SubIOp>(op) &&
      operands[1] == LaneShape::Uniform)
    return operands[0];
  // Both climb by at most one, and so does the larger or the smaller.
  if (isa<arith::MaxSIOp, arith::MinSIOp>(op) &&
      !llvm::is_contained(operands, LaneShape::Varying))
    return LaneShape::Climbing;
  return LaneShape::Varying;
}

LaneShapes::LaneShapes(linalg::GenericOp op, unsigned laneLoop) : op(op) {
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (inner.getNumResults() != 1)
      continue;
    Value result = inner.getResult(0);
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      shapes[result] =
          index.getDim() == laneLoop ? LaneShape::Linear : LaneShape::Uniform;
      continue;
    }
    SmallVector<LaneShape> operands = llvm::map_to_vector(
        inner.getOperands(), [&](Value operand) { return of(operand); });
    bool isUniform = llvm::all_of(
        operands, [](LaneShape shape) { return shape == LaneShape::Uniform; });
    if (inner.getNumRegions() != 0 || !isMemoryEffectFree(&inner))
      shapes[result] = LaneShape::Varying;
    else
      shapes[result] =
          isUniform ? LaneShape::Uniform : combine(&inner, operands);
  }
}

LaneShape LaneShapes::of(Value value) const {
  if (value.getParentRegion() != &linalg::GenericOp(op).getRegion())
    return LaneShape::Uniform;
  auto found = shapes.find(value);
  return found == shapes.end() ? LaneShape::Varying : found->second;
}

bool LaneShapes::readsNeighbours(tensor::ExtractOp read) const {
  ValueRange indices = read.getIndices();
  return !indices.empty() && of(indices.back()) == LaneShape::Linear &&
         llvm::all_of(indices.drop_back(),
                      [&](Value index) { return isUniform(index); });
}

void cpu::cloneIndexing(OpBuilder &b, linalg::GenericOp op, ValueRange indices,
                        const LaneShapes &shapes, IRMapping &scalars) {
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (inner.getNumResults() != 1 ||
        shapes.of(inner.getResult(0)) == LaneShape::Varying)
      continue;
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      scalars.map(index.getResult(), indices[index.getDim()]);
    else
      b.clone(inner, scalars);
  }
}
