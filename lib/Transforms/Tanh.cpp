//===- Tanh.cpp - The hyperbolic tangent in simpler operations ------------===//

#include "SparseAttn/Transforms/Tanh.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Coefficients of (tanh x - x) / x^3 in x^2 for |x| < 0.625, each an f32,
/// fitted for the least maximal relative error of tanh x: 2^-27.
constexpr float kTanh[] = {-0.33333281f, 0.13331442f, -0.053739715f,
                           0.020639088f, -0.0057049869f};
constexpr double kTanhLimit = 0.625;

Value transforms::emitTanh(ImplicitLocOpBuilder &b, Value x,
                           arith::FastMathFlags flags) {
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
  Value exponent = arith::MulFOp::create(b, x, factor, flags);
  Value power = math::Exp2Op::create(b, exponent, flags);
  Value sum = arith::AddFOp::create(b, power, one);
  Value inverse = arith::DivFOp::create(b, one, sum, flags);
  Value far = math::FmaOp::create(b, inverse, constant(-2.0), one);
  Value isNear = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, square,
                                       constant(kTanhLimit * kTanhLimit));
  return arith::SelectOp::create(b, isNear, near, far);
}
