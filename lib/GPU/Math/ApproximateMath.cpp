//===- ApproximateMath.cpp - --sparse-attn-approximate-math ---------------===//

#include "SparseAttn/GPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNAPPROXIMATEMATH
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Coefficients of (tanh x - x) / x^3 in x^2 for |x| < 0.625, each an f32,
/// fitted for the least maximal relative error of tanh x: 2^-27.
constexpr float kTanh[] = {-0.33333281f, 0.13331442f, -0.053739715f,
                           0.020639088f, -0.0057049869f};
constexpr double kTanhLimit = 0.625;

/// tanh x = x + x^3 p(x^2) for a small x, and 1 - 2 / (1 + 2^(2 log2(e) x))
/// elsewhere, where that loses no digits.
static Value emitTanh(ImplicitLocOpBuilder &b, Value x) {
  auto constant = [&](double value) -> Value {
    TypedAttr attr = b.getF32FloatAttr(float(value));
    if (auto type = dyn_cast<VectorType>(x.getType()))
      attr = DenseElementsAttr::get(type, Attribute(attr));
    return arith::ConstantOp::create(b, attr);
  };
  Value square = arith::MulFOp::create(b, x, x);
  Value p = constant(kTanh[4]);
  for (int k = 3; k >= 0; --k)
    p = math::FmaOp::create(b, p, square, constant(kTanh[k]));
  Value cube = arith::MulFOp::create(b, x, square);
  Value near = math::FmaOp::create(b, cube, p, x);
  Value factor = constant(2 * llvm::numbers::log2e), one = constant(1.0);
  Value exponent = arith::MulFOp::create(b, x, factor);
  Value power = math::Exp2Op::create(b, exponent);
  Value sum = arith::AddFOp::create(b, power, one);
  Value inverse = arith::DivFOp::create(b, one, sum);
  Value far = math::FmaOp::create(b, inverse, constant(-2.0), one);
  // |x|, in operations that kernels have.
  Value minus = arith::NegFOp::create(b, x);
  Value size = arith::MaximumFOp::create(b, x, minus);
  Value isNear = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, size,
                                       constant(kTanhLimit));
  return arith::SelectOp::create(b, isNear, near, far);
}

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
      op.replaceAllUsesWith(emitTanh(b, op.getOperand()));
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
