//===- FormVerifier.cpp - Types, and the rule of each operation -----------===//

#include "FormVerifier.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static bool isVector(Value value) { return isa<VectorType>(value.getType()); }

static LogicalResult verifyVector(Operation *op, VectorType type) {
  if (type.isScalable() || type.getRank() < 1 || type.getRank() > 2)
    return op->emitOpError("has a value of ")
           << type
           << "; a tile is a vector of two dimensions, and a value for each of "
              "its rows or columns one of one dimension, of fixed size";
  if (llvm::any_of(type.getShape(), [](int64_t n) { return n % 8 != 0; }))
    return op->emitOpError("has a value of ")
           << type << "; rows and columns of a tile are multiples of 8";
  return success();
}

LogicalResult FormVerifier::verifyTypes(Operation *op) {
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  for (Type type : types) {
    if (isa<TensorType>(type))
      return op->emitOpError("is on tensors, and kernels compute with vectors "
                             "and buffers; vectorise tiles and bufferise");
    if (auto vector = dyn_cast<VectorType>(type))
      if (failed(verifyVector(op, vector)))
        return failure();
  }
  if (isa<linalg::LinalgOp, memref::CopyOp>(op))
    return op->emitOpError("is on whole buffers, which the threads of a block "
                           "cannot share out; make vectors of their tiles");
  return success();
}

/// Constants are of one value, and what a kernel takes from outside it computes
/// again.
LogicalResult FormVerifier::verifyOrigins(Operation *op) {
  for (Value operand : op->getOperands()) {
    if (!isVector(operand))
      continue;
    SplatElementsAttr splat;
    if (matchPattern(operand, m_Constant()) &&
        !matchPattern(operand, m_Constant(&splat)))
      return op->emitOpError("takes a constant whose elements differ; number "
                             "them by vector.step and compute with that");
    Operation *origin = operand.getDefiningOp();
    bool isOutside = !grid.getRegion().isAncestor(operand.getParentRegion());
    if (isOutside && (!origin || !isPure(origin)))
      return op->emitOpError(
          "takes a tile from outside of the loop over blocks; "
          "read it inside");
  }
  return success();
}

LogicalResult FormVerifier::verifyRule(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](vector::TransferReadOp o) { return verifyRead(o); })
      .Case([&](ReadRowsOp o) { return verifyReadRows(o); })
      .Case([&](vector::TransferWriteOp o) { return verifyWrite(o); })
      .Case([&](WriteRowsOp o) { return verifyWriteRows(o); })
      .Case([&](vector::ContractionOp o) { return verifyProduct(o); })
      .Case([&](vector::MultiDimReductionOp o) { return verifyReduction(o); })
      .Case([&](vector::TransposeOp o) { return verifyTranspose(o); })
      .Case([&](vector::BroadcastOp o) { return verifyBroadcast(o); })
      .Case([&](vector::ExtractOp o) { return verifyRow(o); })
      .Case([&](vector::GatherOp o) { return verifyGather(o); })
      .Case([&](vector::StepOp o) {
        variations[o.getResult()] = {true, false};
        return success();
      })
      .Case<scf::ForOp, scf::IfOp, scf::YieldOp>([&](Operation *o) {
        for (Value operand : o->getOperands())
          if (failed(verifyPrivate(o, operand)))
            return failure();
        return LogicalResult::success();
      })
      .Default([&](Operation *o) -> LogicalResult {
        if (o->hasTrait<OpTrait::ConstantLike>())
          return success();
        if (OpTrait::hasElementwiseMappableTraits(o) &&
            o->getNumResults() == 1 && o->getNumRegions() == 0)
          return verifyElementwise(o);
        return o->emitOpError("on a tile has no rule that shares it out among "
                              "threads");
      });
}

LogicalResult FormVerifier::verify(Operation *op) {
  if (failed(verifyTypes(op)) || failed(verifyOrigins(op)))
    return failure();
  if (llvm::none_of(op->getOperands(), isVector) &&
      llvm::none_of(op->getResults(), isVector))
    return success();
  return verifyRule(op);
}

LogicalResult FormVerifier::run() {
  WalkResult result =
      grid.getBody()->walk<WalkOrder::PreOrder>([&](Operation *op) {
        return failed(verify(op)) ? WalkResult::interrupt()
                                  : WalkResult::advance();
      });
  return failure(result.wasInterrupted());
}
