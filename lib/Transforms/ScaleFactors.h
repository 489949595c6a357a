//===- ScaleFactors.h - Where the scale of scores goes ----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_SCALEFACTORS_H
#define SPARSEATTN_LIB_TRANSFORMS_SCALEFACTORS_H

#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace mlir::sparse_attn::transforms {

/// scale = query * score * unit: the factors of Q, of S and of the exponent.
///
/// Where Q is packed, it takes the sign, so that a running maximum is one, and
/// a power of two, which rounds nothing and keeps large scores in range; the
/// exponent takes the rest. Otherwise the exponent takes a positive scale, and
/// scores a negative one, then in base 2.
struct ScaleFactors {
  double query = 1.0, score = 1.0, unit = 1.0;

  ScaleFactors(double scale, bool keepTypes) {
    double size = std::fabs(scale);
    bool isNormal = size >= std::numeric_limits<float>::min() &&
                    size <= std::numeric_limits<float>::max() / 2;
    if (keepTypes && scale > 0 && isNormal) {
      unit = scale;
      return;
    }
    if (keepTypes) {
      unit = llvm::numbers::ln2;
      score = scale * llvm::numbers::log2e;
      return;
    }
    // No normal number is left for the exponent: -inf times it must be -inf.
    if (size < std::numeric_limits<float>::min()) {
      query = scale;
      return;
    }
    double power = size < 1.0 ? std::exp2(std::ilogb(size)) : 1.0;
    query = std::copysign(power, scale);
    unit = std::min<double>(size / power, std::numeric_limits<float>::max());
  }
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_SCALEFACTORS_H
