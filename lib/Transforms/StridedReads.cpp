//===- StridedReads.cpp - Elements of slices that are apart ---------------===//

#include "SparseAttn/Transforms/StridedReads.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Whether a slice of a dense tensor is dense: behind the first dimension of
/// which it has more than one, it has all.
static bool isDense(tensor::ExtractSliceOp slice) {
  if (!slice.hasUnitStride())
    return false;
  bool isBehind = false;
  for (auto [size, whole] :
       llvm::zip(slice.getMixedSizes(), slice.getSourceType().getShape())) {
    std::optional<int64_t> known = getConstantIntValue(size);
    if (isBehind && (!known || *known != whole))
      return false;
    isBehind |= known != 1;
  }
  return true;
}

/// The tensor whose memory `value` will have, or null.
static Value originOf(Value value) {
  auto loopOf = [](Value carried) {
    auto argument = dyn_cast<BlockArgument>(carried);
    Operation *op =
        argument ? argument.getOwner()->getParentOp() : carried.getDefiningOp();
    return dyn_cast_if_present<LoopLikeOpInterface>(op);
  };
  if (auto loop = value.getDefiningOp<scf::ForallOp>())
    return loop.getTiedOpOperand(cast<OpResult>(value))->get();
  if (LoopLikeOpInterface loop = loopOf(value)) {
    OpOperand *init = isa<BlockArgument>(value)
                          ? loop.getTiedLoopInit(cast<BlockArgument>(value))
                          : loop.getTiedLoopInit(cast<OpResult>(value));
    return init ? init->get() : Value();
  }
  Operation *op = value.getDefiningOp();
  if (auto cast = dyn_cast_if_present<tensor::CastOp>(op))
    return cast.getSource();
  if (auto slice = dyn_cast_if_present<tensor::ExtractSliceOp>(op))
    return isDense(slice) ? slice.getSource() : Value();
  if (auto reached = dyn_cast_if_present<DestinationStyleOpInterface>(op))
    return reached.getTiedOpOperand(cast<OpResult>(value))->get();
  return {};
}

static bool isOfItsOwn(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return isa<FunctionOpInterface>(argument.getOwner()->getParentOp());
  return isa<arith::ConstantOp, tensor::EmptyOp, tensor::GenerateOp,
             tensor::FromElementsOp>(value.getDefiningOp());
}

Operation *mlir::sparse_attn::findStridedRead(linalg::LinalgOp op) {
  Operation *found = nullptr;
  op->walk([&](tensor::ExtractOp read) {
    Value value = read.getTensor();
    while (value && !isOfItsOwn(value))
      value = originOf(value);
    if (!value)
      found = read;
  });
  return found;
}
