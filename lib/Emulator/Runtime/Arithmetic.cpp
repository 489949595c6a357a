//===- Arithmetic.cpp - Instructions that a CPU lacks ---------------------===//
//
// The approximate instructions are computed as well as f32 allows: a GPU's are
// within 2 units in the last place of these.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Emulator/Runtime.h"
#include "SparseAttn/Oracle/Float16.h"
#include <cmath>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;

/// .ftz: a subnormal becomes a zero of the same sign.
static float flush(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}

float sparse_attn_emu_ex2(float x) { return std::exp2(x); }
float sparse_attn_emu_ex2_ftz(float x) { return flush(std::exp2(flush(x))); }
float sparse_attn_emu_lg2_ftz(float x) { return flush(std::log2(flush(x))); }
float sparse_attn_emu_rcp_ftz(float x) { return flush(1.0f / flush(x)); }

static int32_t pack(uint16_t high, uint16_t low) {
  return static_cast<int32_t>(static_cast<uint32_t>(high) << 16 | low);
}

int32_t sparse_attn_emu_pack_f16(float high, float low) {
  return pack(floatToHalf(high), floatToHalf(low));
}

int32_t sparse_attn_emu_pack_bf16(float high, float low) {
  return pack(floatToBfloat(high), floatToBfloat(low));
}

/// A NaN whose upper bits alone would be an infinity's becomes another NaN.
static uint16_t cutToBfloat(float x) {
  auto upper = static_cast<uint16_t>(llvm::bit_cast<uint32_t>(x) >> 16);
  return std::isnan(x) ? upper | 0x40 : upper;
}

int32_t sparse_attn_emu_pack_bf16_rz(float high, float low) {
  return pack(cutToBfloat(high), cutToBfloat(low));
}

int32_t sparse_attn_emu_to_tf32(float x) {
  auto bits = llvm::bit_cast<uint32_t>(x);
  if (std::isfinite(x))
    bits += 0x1000; // half of the last of the 10 bits that stay
  return static_cast<int32_t>(bits & ~0x1fffu);
}

/// prmt's default mode: each nibble of the selector takes one of 8 bytes, or
/// with its upper bit that byte's sign.
int32_t sparse_attn_emu_permute(int32_t low, int32_t high, int32_t selector) {
  uint64_t bytes = static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32 |
                   static_cast<uint32_t>(low);
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    unsigned nibble = static_cast<uint32_t>(selector) >> (4 * i) & 15;
    auto byte = static_cast<uint8_t>(bytes >> (8 * (nibble & 7)));
    if (nibble & 8)
      byte = byte & 0x80 ? 0xff : 0;
    result |= static_cast<uint32_t>(byte) << (8 * i);
  }
  return static_cast<int32_t>(result);
}
