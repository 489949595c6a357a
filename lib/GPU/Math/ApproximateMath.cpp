//===- ApproximateMath.cpp - --sparse-attn-approximate-math ---------------===//

#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/Transforms/Tanh.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
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
  if (isa<math::Log2Op, math::LogOp>(op))
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
  // ln x = log2 x * ln 2
  if (isa<math::LogOp>(op)) {
    TypedAttr ln2 = b.getF32FloatAttr(llvm::numbers::ln2f);
    if (auto type = dyn_cast<VectorType>(result.getType()))
      ln2 = DenseElementsAttr::get(type, Attribute(ln2));
    Value factor = arith::ConstantOp::create(b, loc, ln2);
    result = arith::MulFOp::create(b, loc, result, factor);
  }
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

namespace {
struct ApproximateMathPass
    : sparse_attn::impl::SparseAttnApproximateMathBase<ApproximateMathPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([](math::TanhOp op) {
      if (!isOfSingles(op))
        return;
      ImplicitLocOpBuilder b(op.getLoc(), op);
      op.replaceAllUsesWith(
          transforms::emitTanh(b, op.getOperand(), arith::FastMathFlags::afn));
      op.erase();
    });
    getOperation().walk([](Operation *op) {
      StringRef intrinsic = intrinsicOf(op);
      if (!intrinsic.empty() && isOfSingles(op))
        approximate(op, intrinsic);
    });
  }
};
} // namespace
