//===- ApproximateMath.cpp - --sparse-attn-approximate-math ---------------===//

#include "SparseAttn/GPU/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNAPPROXIMATEMATH
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// The intrinsic of one instruction of the special function unit.
static StringRef intrinsicOf(Operation *op) {
  if (isa<math::Exp2Op>(op))
    return "llvm.nvvm.ex2.approx.ftz.f";
  if (isa<math::Log2Op>(op))
    return "llvm.nvvm.lg2.approx.ftz.f";
  return {};
}

static bool isOfSingles(Operation *op) {
  Type type = op->getResult(0).getType();
  return getElementTypeOrSelf(type).isF32() &&
         (!isa<VectorType>(type) || cast<VectorType>(type).getRank() == 1);
}

static void approximate(Operation *op, StringRef intrinsic) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  auto call = [&](Value x) -> Value {
    return LLVM::CallIntrinsicOp::create(b, loc, b.getF32Type(),
                                         b.getStringAttr(intrinsic), x)
        .getResults();
  };
  Value operand = op->getOperand(0), result;
  if (auto type = dyn_cast<VectorType>(operand.getType())) {
    auto elements = vector::ToElementsOp::create(b, loc, operand);
    SmallVector<Value> results =
        llvm::map_to_vector(elements.getResults(), call);
    result = vector::FromElementsOp::create(b, loc, type, results);
  } else {
    result = call(operand);
  }
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

namespace {
struct ApproximateMathPass
    : sparse_attn::impl::SparseAttnApproximateMathBase<ApproximateMathPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      StringRef intrinsic = intrinsicOf(op);
      if (!intrinsic.empty() && isOfSingles(op))
        approximate(op, intrinsic);
    });
  }
};
} // namespace
