//===- ArithmeticTest.cpp - Instructions that a CPU lacks -----------------===//

#include "EmulatedKernel.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <limits>

static int32_t bits(float x) { return llvm::bit_cast<int32_t>(x); }

TEST(Arithmetic, FlushesSubnormals) {
  float subnormal = std::numeric_limits<float>::denorm_min() * 5;
  EXPECT_EQ(sparse_attn_emu_ex2_ftz(3.0f), 8.0f);
  EXPECT_EQ(sparse_attn_emu_ex2_ftz(-130.0f), 0.0f);
  EXPECT_EQ(sparse_attn_emu_ex2(-130.0f), std::ldexp(1.0f, -130));
  EXPECT_EQ(sparse_attn_emu_ex2_ftz(-std::numeric_limits<float>::infinity()),
            0.0f);
  EXPECT_TRUE(std::isnan(sparse_attn_emu_ex2_ftz(std::nanf(""))));
  EXPECT_EQ(sparse_attn_emu_lg2_ftz(8.0f), 3.0f);
  EXPECT_EQ(sparse_attn_emu_lg2_ftz(subnormal),
            -std::numeric_limits<float>::infinity());
  EXPECT_EQ(sparse_attn_emu_rcp_ftz(4.0f), 0.25f);
  EXPECT_EQ(sparse_attn_emu_rcp_ftz(-subnormal),
            -std::numeric_limits<float>::infinity());
}

TEST(Arithmetic, PacksTheFirstOperandInTheUpperHalf) {
  EXPECT_EQ(sparse_attn_emu_pack_bf16(1.0f, -2.0f),
            static_cast<int32_t>(0x3f80c000u));
  EXPECT_EQ(sparse_attn_emu_pack_f16(1.0f, -2.0f),
            static_cast<int32_t>(0x3c00c000u));
}

TEST(Arithmetic, PackingRoundsToNearestEven) {
  // bf16 has 7 fraction bits: 1 + 2^-8 is a tie, 1 + 3 * 2^-8 is one too.
  EXPECT_EQ(sparse_attn_emu_pack_bf16(1 + 0x1p-8f, 1 + 0x3p-8f), 0x3f803f82);
  EXPECT_EQ(sparse_attn_emu_pack_f16(1 + 0x1p-11f, 1 + 0x3p-11f), 0x3c003c02);
}

TEST(Arithmetic, PackingTowardsZeroKeepsWhatIsNoNumber) {
  EXPECT_EQ(sparse_attn_emu_pack_bf16_rz(1 + 0x1.fep-8f, -1 - 0x1.fep-8f),
            static_cast<int32_t>(0x3f80bf80u));
  float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(
      sparse_attn_emu_pack_bf16_rz(infinity, std::numeric_limits<float>::max()),
      0x7f807f7f);
  auto payloadBelow = llvm::bit_cast<float>(0x7f800001);
  EXPECT_EQ(sparse_attn_emu_pack_bf16_rz(payloadBelow, 0.0f), 0x7fc00000);
}

TEST(Arithmetic, Tf32RoundsTiesAwayFromZero) {
  EXPECT_EQ(sparse_attn_emu_to_tf32(1 + 0x1p-11f), bits(1 + 0x1p-10f));
  EXPECT_EQ(sparse_attn_emu_to_tf32(-1 - 0x1p-11f), bits(-1 - 0x1p-10f));
  EXPECT_EQ(sparse_attn_emu_to_tf32(1 + 0x1p-12f), bits(1.0f));
  float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(sparse_attn_emu_to_tf32(infinity), bits(infinity));
  EXPECT_EQ(sparse_attn_emu_to_tf32(std::numeric_limits<float>::max()),
            bits(infinity));
}

TEST(Arithmetic, PermuteSelectsBytesAndSigns) {
  EXPECT_EQ(sparse_attn_emu_permute(0x33221100, 0x77665544, 0x3210),
            0x33221100);
  EXPECT_EQ(sparse_attn_emu_permute(0x33221100, 0x77665544, 0x5410),
            0x55441100);
  EXPECT_EQ(sparse_attn_emu_permute(0x33221180, 0x77665544, 0x7658),
            static_cast<int32_t>(0x776655ff));
}
