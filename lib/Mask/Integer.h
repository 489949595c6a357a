//===- Integer.h - Floor arithmetic on positions ----------------*- C++ -*-===//
//
// Positions may be negative, so that division and remainder must be the
// mathematical ones.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_MASK_INTEGER_H
#define SPARSEATTN_LIB_MASK_INTEGER_H

#include "SparseAttn/Mask/Mask.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstdint>
#include <numeric>

namespace mlir::sparse_attn::mask {

/// Every position and every bound lies below this in magnitude, so that the
/// sum of a few of them cannot overflow, nor their product with a tile size.
constexpr int64_t positionLimit = int64_t(1) << 40;

/// The difference of any two positions lies below this in magnitude: a block,
/// a stride or a period of it is as good as any longer one.
constexpr int64_t periodLimit = 2 * maxSequenceLength;

inline int64_t clampPeriod(int64_t x) { return std::min(x, periodLimit); }

inline int64_t clampPosition(int64_t x) {
  return std::clamp(x, -positionLimit, positionLimit);
}

/// floor(x / y) for y > 0.
inline int64_t floorDiv(int64_t x, int64_t y) {
  return llvm::divideFloorSigned(x, y);
}

/// x - y * floor(x / y) for y > 0.
inline int64_t floorMod(int64_t x, int64_t y) {
  int64_t r = x % y;
  return r < 0 ? r + y : r;
}

/// x * y for x > 0, clamped to the limit.
inline int64_t clampedProduct(int64_t x, int64_t y) {
  int64_t product;
  if (llvm::MulOverflow(x, y, product))
    return y < 0 ? -positionLimit : positionLimit;
  return clampPosition(product);
}

/// lcm(x, y) for x, y > 0, or the limit where that is larger.
inline int64_t clampedLcm(int64_t x, int64_t y) {
  return clampedProduct(x / std::gcd(x, y), y);
}

} // namespace mlir::sparse_attn::mask

#endif // SPARSEATTN_LIB_MASK_INTEGER_H
