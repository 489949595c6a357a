//===- ExpandMath.cpp - --sparse-attn-expand-math -------------------------===//

#include "SparseAttn/CPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNEXPANDMATH
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// `value` as a constant of `type`, splat over vectors.
static Value constant(OpBuilder &b, Location loc, Type type, TypedAttr value) {
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(vector, Attribute(value)));
  return arith::ConstantOp::create(b, loc, value);
}

/// The i32 type of the shape of an f32 type.
static Type toI32(OpBuilder &b, Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(b.getI32Type());
  return b.getI32Type();
}

/// Coefficients c0 .. c6 of 2^f on [-1/2, 1/2], fitted for the least maximal
/// relative error: 2^-29, below half a unit in the last place of f32.
constexpr double kExp2[] = {1.0000000005541547,    0.6931472057349264,
                            0.24022646890428628,   0.05550328781769788,
                            0.009618489006861734,  0.0013399929365411041,
                            0.00015345791786650507};

namespace {
/// 2^x = 2^f * 2^n with n = round(x), f = x - n in [-1/2, 1/2].
struct ExpandExp2 : OpRewritePattern<math::Exp2Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::Exp2Op op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return rewriter.notifyMatchFailure(op, "not f32");
    Location loc = op.getLoc();
    auto f32 = [&](double value) {
      return constant(rewriter, loc, type,
                      rewriter.getF32FloatAttr(float(value)));
    };
    auto i32 = [&](int64_t value) {
      return constant(rewriter, loc, toI32(rewriter, type),
                      rewriter.getI32IntegerAttr(value));
    };
    Value x = op.getOperand();
    Value n = math::RoundEvenOp::create(rewriter, loc, x);
    Value f = arith::SubFOp::create(rewriter, loc, x, n);
    // Horner: ((c6 f + c5) f + ...) f + c0
    Value p = f32(kExp2[6]);
    for (int k = 5; k >= 0; --k)
      p = math::FmaOp::create(rewriter, loc, p, f, f32(kExp2[k]));
    // 2^n by its exponent bits, for n in [-126, 127]. Multiplying, rather than
    // adding to the exponent of p, keeps a NaN in p a NaN.
    Value whole =
        arith::FPToSIOp::create(rewriter, loc, toI32(rewriter, type), n);
    whole = arith::MaxSIOp::create(rewriter, loc, whole, i32(-126));
    whole = arith::MinSIOp::create(rewriter, loc, whole, i32(128));
    Value biased = arith::AddIOp::create(rewriter, loc, whole, i32(127));
    Value bits = arith::ShLIOp::create(rewriter, loc, biased, i32(23));
    Value power = arith::BitcastOp::create(rewriter, loc, type, bits);
    Value product = arith::MulFOp::create(rewriter, loc, p, power);
    // Below the normal range, -inf included (where f is NaN), the result is 0.
    Value underflow = arith::CmpFOp::create(
        rewriter, loc, arith::CmpFPredicate::OLT, x, f32(-126.0));
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, underflow, f32(0.0),
                                                 product);
    return success();
  }
};

/// maxnum(x, y)  ->  x > y ? x : y
///
/// A NaN x (a score) yields y (the running maximum, which so never becomes
/// NaN), as maxnum says; a NaN y would be kept, where maxnum gives x.
struct ExpandMaxNum : OpRewritePattern<arith::MaxNumFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::MaxNumFOp op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "not f32");
    Value greater =
        arith::CmpFOp::create(rewriter, op.getLoc(), arith::CmpFPredicate::OGT,
                              op.getLhs(), op.getRhs());
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, greater, op.getLhs(),
                                                 op.getRhs());
    return success();
  }
};

struct ExpandMathPass
    : sparse_attn::impl::SparseAttnExpandMathBase<ExpandMathPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExp2, ExpandMaxNum>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
