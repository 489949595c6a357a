//===- Float16.h - f16 and bf16 as bits -------------------------*- C++ -*-===//
//
// Conversions between float and the bits of f16 and bf16, rounding to nearest
// even; NaN stays NaN, too large becomes infinite. The bulk versions are plain
// loops over branch-free code, which compilers vectorise.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ORACLE_FLOAT16_H
#define SPARSEATTN_ORACLE_FLOAT16_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/bit.h"
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace mlir::sparse_attn::oracle {

/// f16 has 5 exponent and 10 fraction bits. Shifted to float's place, its
/// exponent is short of float's bias by 112; multiplying by 2^112 mends that,
/// subnormals included.
inline float halfToFloat(uint16_t half) {
  uint32_t magnitude = static_cast<uint32_t>(half & 0x7fffu) << 13;
  float scaled = llvm::bit_cast<float>(magnitude) * 0x1p112f;
  uint32_t finite = llvm::bit_cast<uint32_t>(scaled);
  // Infinity and NaN: all exponent bits set.
  uint32_t special = magnitude | 0x7f800000u;
  uint32_t bits = (half & 0x7c00u) == 0x7c00u ? special : finite;
  return llvm::bit_cast<float>(bits |
                               (static_cast<uint32_t>(half & 0x8000u) << 16));
}

/// Rounding is left to float addition. A subnormal result has steps of 2^-24:
/// adding 0.5, whose ulp is that, rounds there. A normal one drops 13 bits:
/// half an ulp less one is added, and one more where the kept bit is odd.
inline uint16_t floatToHalf(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  uint32_t sign = (bits >> 16) & 0x8000u;
  uint32_t magnitude = bits & 0x7fffffffu;

  uint32_t subnormal =
      llvm::bit_cast<uint32_t>(llvm::bit_cast<float>(magnitude) + 0.5f) -
      0x3f000000u;
  uint32_t normal =
      (magnitude + 0xfffu + ((magnitude >> 13) & 1u) - (112u << 23)) >> 13;
  uint32_t result = magnitude < (113u << 23) ? subnormal : normal;
  // 65520 and above round to infinity.
  result = magnitude >= 0x477ff000u ? 0x7c00u : result;
  // A NaN keeps its top fraction bits and becomes quiet.
  result =
      magnitude > 0x7f800000u ? 0x7e00u | ((magnitude >> 13) & 0x1ffu) : result;
  return static_cast<uint16_t>(result | sign);
}

/// bf16 is the upper half of a float.
inline float bfloatToFloat(uint16_t bfloat) {
  return llvm::bit_cast<float>(static_cast<uint32_t>(bfloat) << 16);
}

inline uint16_t floatToBfloat(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  // Rounding could carry a NaN's fraction away.
  uint32_t nan = (bits >> 16) | 0x40u;
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? nan
                                                                  : rounded);
}

// Bulk versions; both ranges have the same length.

inline void halfToFloat(llvm::ArrayRef<uint16_t> in,
                        llvm::MutableArrayRef<float> out) {
  assert(in.size() == out.size());
  for (size_t i = 0, e = in.size(); i < e; ++i)
    out[i] = halfToFloat(in[i]);
}

inline void floatToHalf(llvm::ArrayRef<float> in,
                        llvm::MutableArrayRef<uint16_t> out) {
  assert(in.size() == out.size());
  for (size_t i = 0, e = in.size(); i < e; ++i)
    out[i] = floatToHalf(in[i]);
}

inline void bfloatToFloat(llvm::ArrayRef<uint16_t> in,
                          llvm::MutableArrayRef<float> out) {
  assert(in.size() == out.size());
  for (size_t i = 0, e = in.size(); i < e; ++i)
    out[i] = bfloatToFloat(in[i]);
}

inline void floatToBfloat(llvm::ArrayRef<float> in,
                          llvm::MutableArrayRef<uint16_t> out) {
  assert(in.size() == out.size());
  for (size_t i = 0, e = in.size(); i < e; ++i)
    out[i] = floatToBfloat(in[i]);
}

} // namespace mlir::sparse_attn::oracle

#endif // SPARSEATTN_ORACLE_FLOAT16_H
