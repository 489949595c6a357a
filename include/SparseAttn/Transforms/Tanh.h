//===- Tanh.h - The hyperbolic tangent in simpler operations ----*- C++ -*-===//

#ifndef SPARSEATTN_TRANSFORMS_TANH_H
#define SPARSEATTN_TRANSFORMS_TANH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::sparse_attn::transforms {

/// tanh x of an f32 or a vector of them:
///
///   x + x^3 p(x^2)                  for |x| < 5/8, p of degree 4
///   1 - 2 / (1 + 2^(2 log2(e) x))   elsewhere, where that loses no digits
///
/// with a relative error near 2^-22 where those of the power and the division
/// are as small. NaN stays NaN, and infinities become 1 and -1. `flags` are
/// those of the power, of its operand and of the division.
Value emitTanh(ImplicitLocOpBuilder &b, Value x, arith::FastMathFlags flags);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_TRANSFORMS_TANH_H
