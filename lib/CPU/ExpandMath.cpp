//===- ExpandMath.cpp - --sparse-attn-expand-math -------------------------===//

#include "SparseAttn/CPU/Passes.h"
#include "SparseAttn/Transforms/Tanh.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNEXPANDMATH
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Coefficients c0 .. c6 of 2^f on [-1/2, 1/2], each an f32, fitted for the
/// least maximal relative error: 2^-28.
constexpr float kExp2[] = {1.0f,          0.69314718f,   0.24022648f,
                           0.055503599f,  0.0096185058f, 0.0013390806f,
                           0.00015326463f};

namespace {
/// Builds values of one f32 type, scalar or vector.
struct Float32Builder {
  PatternRewriter &b;
  Location loc;
  Type type;

  Type integers() const {
    if (auto vector = dyn_cast<VectorType>(type))
      return vector.clone(b.getI32Type());
    return b.getI32Type();
  }
  Value constant(Type ofType, TypedAttr value) const {
    if (auto vector = dyn_cast<VectorType>(ofType))
      return arith::ConstantOp::create(
          b, loc, DenseElementsAttr::get(vector, Attribute(value)));
    return arith::ConstantOp::create(b, loc, value);
  }
  Value f32(float value) const {
    return constant(type, b.getF32FloatAttr(value));
  }
  Value i32(int64_t value) const {
    return constant(integers(), b.getI32IntegerAttr(value));
  }
  Value fma(Value x, Value y, Value z) const {
    return math::FmaOp::create(b, loc, x, y, z);
  }
  /// x < limit ? y : z
  Value selectBelow(Value x, float limit, Value y, Value z) const {
    Value below =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, f32(limit));
    return arith::SelectOp::create(b, loc, below, y, z);
  }
};

/// c as a sum of two f32 numbers, neither of them negative where c is not: so
/// that an infinite x makes hi x + lo x infinite, not a NaN.
struct SplitConstant {
  float hi, lo;
  explicit SplitConstant(double c) : hi(float(c)) {
    if (hi > c)
      hi = std::nextafter(hi, 0.0f);
    lo = float(c - hi);
  }
};
} // namespace

/// 2^(c x), c > 0:
///
///   t = c x + magic, rounded: its last bits are those of n + 127
///   n = t - magic             the integer next to c x, at most 127
///   f = c x - n               in [-1/2, 1/2]; the product is not rounded
///   2^(c x) = p(f) 2^n        2^n by its exponent bits, n + 127
///
/// Multiplying by 2^n, rather than adding n to the exponent of p, keeps a NaN a
/// NaN; and p of a large f is above 2, so that 2^127 p overflows where it must.
/// Below the normal range, -inf included (where f is NaN), the result is 0.
static Value emitExp2(const Float32Builder &m, Value x, double c) {
  OpBuilder &b = m.b;
  constexpr float magic = 1.5f * (1 << 23) + 127;
  SplitConstant factor(c);
  bool scaled = c != 1.0;
  Value t = scaled ? m.fma(x, m.f32(factor.hi), m.f32(magic))
                   : arith::AddFOp::create(b, m.loc, x, m.f32(magic));
  // A NaN stays: only what is greater is replaced.
  Value tooLarge = arith::CmpFOp::create(b, m.loc, arith::CmpFPredicate::OGT, t,
                                         m.f32(magic + 127));
  t = arith::SelectOp::create(b, m.loc, tooLarge, m.f32(magic + 127), t);
  Value n = arith::SubFOp::create(b, m.loc, t, m.f32(magic));
  Value f;
  if (scaled) {
    Value minusN = arith::NegFOp::create(b, m.loc, n);
    f = m.fma(x, m.f32(factor.hi), minusN);
    // An infinite x times 0 is NaN.
    if (factor.lo != 0)
      f = m.fma(x, m.f32(factor.lo), f);
  } else {
    f = arith::SubFOp::create(b, m.loc, x, n);
  }
  // Horner: ((c6 f + c5) f + ...) f + c0
  Value p = m.f32(kExp2[6]);
  for (int k = 5; k >= 0; --k)
    p = m.fma(p, f, m.f32(kExp2[k]));
  Value bits = arith::BitcastOp::create(b, m.loc, m.integers(), t);
  bits = arith::ShLIOp::create(b, m.loc, bits, m.i32(23));
  Value power = arith::BitcastOp::create(b, m.loc, m.type, bits);
  Value product = arith::MulFOp::create(b, m.loc, p, power);
  return m.selectBelow(x, float(-126.0 / c), m.f32(0.0f), product);
}

/// Only what is of f32 and allows an approximation is expanded.
template <typename MathOp>
static LogicalResult matchApproximate(MathOp op, PatternRewriter &rewriter) {
  if (!getElementTypeOrSelf(op.getType()).isF32())
    return rewriter.notifyMatchFailure(op, "not f32");
  if (!arith::bitEnumContainsAny(op.getFastmath(), arith::FastMathFlags::afn))
    return rewriter.notifyMatchFailure(op, "does not allow approximation");
  return success();
}

namespace {
/// Expands exp2(x), with c = 1, and exp(x), with c = log2(e).
template <typename ExpOp> struct ExpandExp : OpRewritePattern<ExpOp> {
  using OpRewritePattern<ExpOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(ExpOp op,
                                PatternRewriter &rewriter) const override {
    if (failed(matchApproximate(op, rewriter)))
      return failure();
    bool natural = std::is_same_v<ExpOp, math::ExpOp>;
    double c = natural ? llvm::numbers::log2e : 1.0;
    Value x = op.getOperand();
    foldFactor(x, c);
    Float32Builder m{rewriter, op.getLoc(), op.getType()};
    rewriter.replaceOp(op, emitExp2(m, x, c));
    return success();
  }

private:
  /// x = y * constant, if it need not be rounded: c takes the constant, as long
  /// as neither c nor the limits of c y leave the range of f32.
  static void foldFactor(Value &x, double &c) {
    auto product = x.getDefiningOp<arith::MulFOp>();
    if (!product || !arith::bitEnumContainsAny(product.getFastmath(),
                                               arith::FastMathFlags::contract))
      return;
    Attribute attribute;
    if (!matchPattern(product.getRhs(), m_Constant(&attribute)))
      return;
    if (auto elements = dyn_cast<DenseElementsAttr>(attribute))
      attribute = elements.isSplat() ? elements.getSplatValue<Attribute>()
                                     : Attribute();
    auto factor = dyn_cast_or_null<FloatAttr>(attribute);
    double value = factor ? factor.getValueAsDouble() : 0.0;
    bool isModerate = value >= 0x1p-64 && value <= 0x1p64; // and no NaN
    if (!isModerate)
      return;
    x = product.getLhs();
    c *= value;
  }
};

/// Expands tanh(x) into 2^(2 log2(e) x) and a polynomial.
struct ExpandTanh : OpRewritePattern<math::TanhOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::TanhOp op,
                                PatternRewriter &rewriter) const override {
    if (failed(matchApproximate(op, rewriter)))
      return failure();
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(
        op, transforms::emitTanh(b, op.getOperand(),
                                 arith::FastMathFlags::afn |
                                     arith::FastMathFlags::contract));
    return success();
  }
};

struct ExpandMathPass
    : sparse_attn::impl::SparseAttnExpandMathBase<ExpandMathPass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExp<math::ExpOp>, ExpandExp<math::Exp2Op>, ExpandTanh>(
        &getContext());
    if (logarithms)
      populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
        return name == math::LogOp::getOperationName();
      });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
