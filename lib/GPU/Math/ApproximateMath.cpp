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
  if (isa<math::Exp2Op, math::ExpOp>(op))
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

/// x times a constant.
static Value times(OpBuilder &b, Location loc, Value x, float factor) {
  TypedAttr constant = b.getF32FloatAttr(factor);
  if (auto type = dyn_cast<VectorType>(x.getType()))
    constant = DenseElementsAttr::get(type, Attribute(constant));
  return arith::MulFOp::create(b, loc, x,
                               arith::ConstantOp::create(b, loc, constant));
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
  // e^x = 2^(x log2 e)
  if (isa<math::ExpOp>(op))
    operand = times(b, loc, operand, llvm::numbers::log2ef);
  if (auto type = dyn_cast<VectorType>(operand.getType())) {
    auto elements = vector::ToElementsOp::create(b, loc, operand);
    SmallVector<Value> results =
        llvm::map_to_vector(elements.getResults(), call);
    result = vector::FromElementsOp::create(b, loc, type, results);
  } else {
    result = call(operand);
  }
  // ln x = log2 x * ln 2
  if (isa<math::LogOp>(op))
    result = times(b, loc, result, llvm::numbers::ln2f);
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

/// |x|, all of x but its sign.
static void clearSign(math::AbsFOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  constexpr int32_t allButSign = 0x7fffffff;
  Type type = op.getType(), integer = b.getI32Type();
  TypedAttr mask = b.getI32IntegerAttr(allButSign);
  if (auto vector = dyn_cast<VectorType>(type)) {
    integer = vector.clone(integer);
    mask = DenseElementsAttr::get(cast<ShapedType>(integer), Attribute(mask));
  }
  Value bits = arith::BitcastOp::create(b, loc, integer, op.getOperand());
  bits = arith::AndIOp::create(b, loc, bits,
                               arith::ConstantOp::create(b, loc, mask));
  op.replaceAllUsesWith(
      arith::BitcastOp::create(b, loc, type, bits).getResult());
  op.erase();
}

/// Refuses what would call a library, which kernels do not have.
static LogicalResult verifyInstructions(Operation *kernels) {
  WalkResult result =
      kernels->walk([](Operation *op) -> WalkResult {
        bool isFloat = op->getNumResults() == 1 &&
                       isa<FloatType>(getElementTypeOrSelf(op->getResult(0)));
        if (!isa_and_nonnull<math::MathDialect>(op->getDialect()) || !isFloat ||
            isa<math::FmaOp>(op))
          return WalkResult::advance();
        return op->emitError()
               << "'" << op->getName() << "' of "
               << getElementTypeOrSelf(op->getResult(0))
               << " has no instruction in kernels; of f32 they have math.exp, "
                  "math.exp2, math.log, math.log2, math.tanh, math.absf and "
                  "math.fma";
      });
  return failure(result.wasInterrupted());
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
    getOperation().walk([](math::AbsFOp op) {
      if (isOfSingles(op))
        clearSign(op);
    });
    if (failed(verifyInstructions(getOperation())))
      signalPassFailure();
  }
};
} // namespace
