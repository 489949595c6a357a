//===- PendingSums.cpp - Row sums that wait for the last tile -------------===//

#include "PendingSums.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

bool kernels::isZero(Value value) {
  return matchPattern(value, m_AnyZeroFloat());
}

bool kernels::staysPendingSum(Operation *op,
                              llvm::function_ref<bool(Value)> isPendingSum) {
  auto is = [&](unsigned i) { return isPendingSum(op->getOperand(i)); };
  if (isa<arith::MulFOp>(op))
    return is(0) != is(1);
  if (isa<arith::AddFOp>(op))
    return is(0) && is(1);
  if (isa<math::FmaOp, vector::FMAOp>(op))
    return is(0) != is(1) && is(2);
  return false;
}

static bool isPartOfSum(Value value, Value arg) {
  if (value == arg)
    return true;
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  // Either side of a branch may have gone on with them.
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    unsigned number = cast<OpResult>(value).getResultNumber();
    return branch.elseBlock() &&
           isPartOfSum(branch.thenYield().getOperand(number), arg) &&
           isPartOfSum(branch.elseYield().getOperand(number), arg);
  }
  if (auto reduction = dyn_cast<vector::MultiDimReductionOp>(op))
    return reduction.getKind() == vector::CombiningKind::ADD &&
           (isZero(reduction.getAcc()) || isPartOfSum(reduction.getAcc(), arg));
  return staysPendingSum(
      op, [&](Value operand) { return isPartOfSum(operand, arg); });
}

bool kernels::carriesPendingSum(Value arg, Value yielded) {
  return yielded != arg && isPartOfSum(yielded, arg);
}
