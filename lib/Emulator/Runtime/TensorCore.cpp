//===- TensorCore.cpp - The arithmetic of mma.sync ------------------------===//

#include "TensorCore.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>
#include <cstdint>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::emulator;

/// Bits of the fixed-point format below the exponent of its largest number.
static constexpr int kFraction = 24;
/// Exponents below this one count as this one.
static constexpr int kLeastExponent = -132;
/// A zero has this exponent, so that no product with one is the largest.
static constexpr int kNoExponent = -1000;

static int exponentOf(float x) {
  int field = static_cast<int>(llvm::bit_cast<uint32_t>(x) >> 23 & 0xff);
  return x == 0 ? kNoExponent : std::max(field, 1) - 127;
}

static double powerOfTwo(int exponent) {
  return llvm::bit_cast<double>(static_cast<uint64_t>(1023 + exponent) << 52);
}

/// x cut off to the 24 bits of an f32. A number below the normal range has
/// fewer; of those, rounding to nearest is close enough.
static float cutOff(double x) {
  constexpr uint64_t below = (uint64_t{1} << 29) - 1;
  return static_cast<float>(
      llvm::bit_cast<double>(llvm::bit_cast<uint64_t>(x) & ~below));
}

namespace {
/// A and B with the exponents of their elements.
struct Factors {
  double a[16][16], b[16][8];
  int aExponent[16][16], bExponent[16][8];

  /// Infinities and NaNs count as zeros.
  Factors(const MmaMatrices &matrices, unsigned depth) {
    for (unsigned m = 0; m < 16; ++m)
      for (unsigned k = 0; k < depth; ++k) {
        float x = std::isfinite(matrices.a[m][k]) ? matrices.a[m][k] : 0.0f;
        a[m][k] = x;
        aExponent[m][k] = exponentOf(x);
      }
    for (unsigned k = 0; k < depth; ++k)
      for (unsigned n = 0; n < 8; ++n) {
        float x = std::isfinite(matrices.b[k][n]) ? matrices.b[k][n] : 0.0f;
        b[k][n] = x;
        bExponent[k][n] = exponentOf(x);
      }
  }
};
} // namespace

/// d[n] += a[m][k] b[k][n] for the ks of one group. A product a b counts by the
/// sum of its factors' exponents e, not by its own, and is below 2^(e + 2): in
/// units of the format's last place a number is below 2^26, and a sum of nine
/// fits an i32.
static void addGroup(const Factors &factors, unsigned m, unsigned begin,
                     unsigned end, float d[8]) {
  int top[8];
  double start[8];
  for (unsigned n = 0; n < 8; ++n) {
    start[n] = std::isfinite(d[n]) ? d[n] : 0.0f;
    top[n] = std::max(exponentOf(static_cast<float>(start[n])), kLeastExponent);
  }
  for (unsigned k = begin; k < end; ++k)
    for (unsigned n = 0; n < 8; ++n)
      top[n] =
          std::max(top[n], factors.aExponent[m][k] + factors.bExponent[k][n]);
  double scale[8];
  int32_t sum[8];
  for (unsigned n = 0; n < 8; ++n) {
    scale[n] = powerOfTwo(kFraction - top[n]);
    sum[n] = static_cast<int32_t>(start[n] * scale[n]);
  }
  for (unsigned k = begin; k < end; ++k)
    for (unsigned n = 0; n < 8; ++n)
      sum[n] +=
          static_cast<int32_t>(factors.a[m][k] * factors.b[k][n] * scale[n]);
  for (unsigned n = 0; n < 8; ++n) {
    float next = cutOff(sum[n] * powerOfTwo(top[n] - kFraction));
    // An infinity stays what it is.
    d[n] = std::isfinite(d[n]) ? next : d[n];
  }
}

/// With an infinity or a NaN among the terms, the sum is what it is in any
/// order and rounding.
static void addNonFinite(MmaMatrices &x, unsigned depth,
                         const float (&start)[16][8]) {
  auto isFinite = [&](unsigned m, unsigned n) {
    for (unsigned k = 0; k < depth; ++k)
      if (!std::isfinite(x.a[m][k]) || !std::isfinite(x.b[k][n]))
        return false;
    return true;
  };
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned n = 0; n < 8; ++n) {
      if (isFinite(m, n))
        continue;
      double sum = start[m][n];
      for (unsigned k = 0; k < depth; ++k)
        sum += static_cast<double>(x.a[m][k]) * x.b[k][n];
      x.d[m][n] = static_cast<float>(sum);
    }
}

void emulator::multiplyAccumulate(MmaMatrices &matrices, unsigned depth,
                                  unsigned group) {
  float start[16][8];
  std::copy_n(&matrices.d[0][0], 16 * 8, &start[0][0]);
  Factors factors(matrices, depth);
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned k = 0; k < depth; k += group)
      addGroup(factors, m, k, std::min(k + group, depth), matrices.d[m]);
  addNonFinite(matrices, depth, start);
}
