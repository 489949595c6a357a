//===- VectorBody.cpp - Bodies of linalg ops on vectors -------------------===//

#include "VectorBody.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

bool cpu::isElementwiseBody(linalg::GenericOp op) {
  return llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
    return inner.getNumResults() == 1 &&
           (inner.hasTrait<OpTrait::ConstantLike>() ||
            OpTrait::hasElementwiseMappableTraits(&inner));
  });
}

SmallVector<Value> cpu::cloneOnVectors(OpBuilder &b, linalg::GenericOp op,
                                       ValueRange args, int64_t lanes) {
  Location loc = op.getLoc();
  auto onVectors = [&](Type type) { return VectorType::get({lanes}, type); };
  IRMapping mapping;
  mapping.map(op.getBody()->getArguments(), args);
  auto vectorOf = [&](Value value) -> Value {
    if (!mapping.contains(value))
      mapping.map(value, vector::BroadcastOp::create(
                             b, loc, onVectors(value.getType()), value));
    return mapping.lookup(value);
  };
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (inner.hasTrait<OpTrait::ConstantLike>()) {
      Operation *scalar = b.clone(inner);
      mapping.map(inner.getResult(0),
                  vector::BroadcastOp::create(
                      b, loc, onVectors(scalar->getResult(0).getType()),
                      scalar->getResult(0)));
      continue;
    }
    OperationState state(loc, inner.getName());
    for (Value operand : inner.getOperands())
      state.addOperands(vectorOf(operand));
    state.addTypes(onVectors(inner.getResult(0).getType()));
    state.addAttributes(inner.getAttrs());
    mapping.map(inner.getResult(0), b.create(state)->getResult(0));
  }
  return llvm::map_to_vector(op.getBody()->getTerminator()->getOperands(),
                             vectorOf);
}
