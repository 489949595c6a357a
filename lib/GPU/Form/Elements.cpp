//===- Elements.cpp - Elements of a vector by themselves ------------------===//

#include "Elements.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static bool isVector(Value value) { return isa<VectorType>(value.getType()); }

static bool isElementwise(Operation *op) {
  return OpTrait::hasElementwiseMappableTraits(op) &&
         op->getNumResults() == 1 && op->getNumRegions() == 0;
}

/// A read of neighbours that are all there.
static bool readsNeighbours(vector::TransferReadOp op) {
  return isa<MemRefType>(op.getShapedType()) && !op.getMask() &&
         op.getPermutationMap().isMinorIdentity() && !op.hasOutOfBoundsDim();
}

/// Whether its elements are those of its operands, or of memory.
static bool hasElements(Operation *op) {
  SplatElementsAttr splat;
  if (matchPattern(op, m_Constant(&splat)) || isa<vector::StepOp>(op))
    return true;
  if (auto read = dyn_cast<vector::TransferReadOp>(op))
    return readsNeighbours(read);
  if (auto gather = dyn_cast<vector::GatherOp>(op))
    return matchPattern(gather.getMask(), m_One());
  if (auto broadcast = dyn_cast<vector::BroadcastOp>(op))
    return !isa<VectorType>(broadcast.getSourceType());
  return isElementwise(op);
}

/// Those of which an element takes the same element.
static SmallVector<Value> alongOf(Operation *op) {
  if (auto gather = dyn_cast<vector::GatherOp>(op))
    return {gather.getIndices()};
  if (isa<vector::TransferReadOp>(op))
    return {};
  return llvm::filter_to_vector(op->getOperands(), isVector);
}

Operation *kernels::findWhole(Value vector, Operation *user) {
  Operation *op = vector.getDefiningOp();
  if (!op)
    return user;
  if (!hasElements(op))
    return op;
  for (Value operand : alongOf(op))
    if (Operation *whole = findWhole(operand, op))
      return whole;
  return nullptr;
}

namespace {
class ElementEmitter {
public:
  ElementEmitter(OpBuilder &b, Value place,
                 llvm::function_ref<Value(Value)> outside)
      : b(b), place(place), outside(outside) {}

  Value emit(Value vector);

private:
  /// base[indices..., + `number` along the last].
  Value load(Location loc, Value base, ValueRange indices, Value number);
  Value asIndex(Location loc, Value value);

  OpBuilder &b;
  Value place;
  llvm::function_ref<Value(Value)> outside;
};
} // namespace

Value ElementEmitter::asIndex(Location loc, Value value) {
  if (value.getType().isIndex())
    return value;
  return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), value);
}

Value ElementEmitter::load(Location loc, Value base, ValueRange indices,
                           Value number) {
  SmallVector<Value> at =
      llvm::map_to_vector(indices, [&](Value index) { return outside(index); });
  at.back() =
      b.createOrFold<arith::AddIOp>(loc, at.back(), asIndex(loc, number));
  return memref::LoadOp::create(b, loc, outside(base), at);
}

Value ElementEmitter::emit(Value vector) {
  Operation *op = vector.getDefiningOp();
  Location loc = op->getLoc();
  SplatElementsAttr splat;
  if (matchPattern(op, m_Constant(&splat)))
    return arith::ConstantOp::create(b, loc, splat.getSplatValue<TypedAttr>());
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](vector::StepOp) { return asIndex(loc, place); })
      .Case([&](vector::BroadcastOp o) { return outside(o.getSource()); })
      .Case([&](vector::TransferReadOp o) {
        return load(loc, o.getBase(), o.getIndices(), place);
      })
      .Case([&](vector::GatherOp o) {
        return load(loc, o.getBase(), o.getOffsets(), emit(o.getIndices()));
      })
      .Default([&](Operation *o) {
        IRMapping map;
        for (Value operand : o->getOperands())
          map.map(operand,
                  isVector(operand) ? emit(operand) : outside(operand));
        Operation *element = b.clone(*o, map);
        element->getResult(0).setType(getElementTypeOrSelf(vector));
        return element->getResult(0);
      });
}

Value kernels::emitElement(OpBuilder &b, Value vector, Value place,
                           llvm::function_ref<Value(Value)> outside) {
  return ElementEmitter(b, place, outside).emit(vector);
}
