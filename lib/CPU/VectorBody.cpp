//===- VectorBody.cpp - Bodies of linalg ops on vectors -------------------===//

#include "VectorBody.h"
#include "LaneShape.h"
#include "TileVectors.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

bool cpu::isElementwiseBody(linalg::GenericOp op, unsigned laneLoop) {
  LaneShapes shapes(op, laneLoop);
  return llvm::all_of(
      op.getBody()->without_terminator(), [&](Operation &inner) {
        if (inner.getNumResults() != 1)
          return false;
        if (auto read = dyn_cast<tensor::ExtractOp>(inner))
          return shapes.isUniform(read) || shapes.readsNeighbours(read);
        return isa<linalg::IndexOp>(inner) ||
               inner.hasTrait<OpTrait::ConstantLike>() ||
               OpTrait::hasElementwiseMappableTraits(&inner);
      });
}

namespace {
/// A body whose values are scalars, of the first lane, or vectors.
class VectorBody {
public:
  VectorBody(OpBuilder &b, linalg::GenericOp op, ValueRange args,
             const LanePlace &place)
      : b(b), loc(op.getLoc()), op(op), place(place), shapes(op, place.loop) {
    cloneIndexing(b, op, place.first, shapes, scalars);
    vectors.map(op.getBody()->getArguments(), args);
  }

  SmallVector<Value> emit();

private:
  void emit(Operation &inner);
  Value vectorOf(Value value);
  Value laneNumbers(Type type);
  VectorType onVectors(Type type) const {
    return VectorType::get({place.lanes}, type);
  }

  OpBuilder &b;
  Location loc;
  linalg::GenericOp op;
  LanePlace place;
  LaneShapes shapes;
  IRMapping scalars, vectors;
};
} // namespace

/// 0, 1, 2, ...
Value VectorBody::laneNumbers(Type type) {
  SmallVector<Attribute> numbers;
  for (int64_t lane = 0; lane < place.lanes; ++lane)
    numbers.push_back(b.getIntegerAttr(type, lane));
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(onVectors(type), numbers));
}

Value VectorBody::vectorOf(Value value) {
  if (Value vector = vectors.lookupOrNull(value))
    return vector;
  Value vector = vector::BroadcastOp::create(b, loc, onVectors(value.getType()),
                                             scalars.lookupOrDefault(value));
  if (shapes.of(value) == LaneShape::Linear)
    vector =
        arith::AddIOp::create(b, loc, vector, laneNumbers(value.getType()));
  vectors.map(value, vector);
  return vector;
}

void VectorBody::emit(Operation &inner) {
  Value result = inner.getResult(0);
  if (auto read = dyn_cast<tensor::ExtractOp>(inner)) {
    SmallVector<Value> at =
        llvm::map_to_vector(read.getIndices(), [&](Value index) {
          return scalars.lookupOrDefault(index);
        });
    vectors.map(result, readVector(b, loc, read.getTensor(), at, place.lanes));
    return;
  }
  OperationState state(loc, inner.getName());
  for (Value operand : inner.getOperands())
    state.addOperands(vectorOf(operand));
  state.addTypes(onVectors(result.getType()));
  state.addAttributes(inner.getAttrs());
  vectors.map(result, b.create(state)->getResult(0));
}

SmallVector<Value> VectorBody::emit() {
  for (Operation &inner : op.getBody()->without_terminator()) {
    LaneShape shape = shapes.of(inner.getResult(0));
    if (shape == LaneShape::Climbing || shape == LaneShape::Varying)
      emit(inner);
  }
  return llvm::map_to_vector(op.getBody()->getTerminator()->getOperands(),
                             [&](Value value) { return vectorOf(value); });
}

SmallVector<Value> cpu::cloneOnVectors(OpBuilder &b, linalg::GenericOp op,
                                       ValueRange args,
                                       const LanePlace &place) {
  return VectorBody(b, op, args, place).emit();
}
