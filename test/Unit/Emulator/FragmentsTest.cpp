//===- FragmentsTest.cpp - Layouts against whole matrices -----------------===//
//
// The PTX ISA gives the layouts by formulas from (lane, register) to (row,
// column). The tests walk the other way: for each element of a matrix, which
// lane and register hold it.
//
//===----------------------------------------------------------------------===//

#include "Fragments.h"
#include "EmulatedKernel.h"
#include "SparseAttn/Oracle/Float16.h"
#include "SparseAttn/Oracle/Noise.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::emulator;

namespace {
/// How elements of a type are stored in registers.
struct Format {
  MmaKind kind;
  unsigned k;
  uint32_t (*encode)(float);
  float (*decode)(uint32_t);
  unsigned perRegister; ///< elements
};

uint32_t toHalf(float x) { return floatToHalf(x); }
float fromHalf(uint32_t bits) {
  return halfToFloat(static_cast<uint16_t>(bits));
}
uint32_t toBfloat(float x) { return floatToBfloat(x); }
float fromBfloat(uint32_t bits) {
  return bfloatToFloat(static_cast<uint16_t>(bits));
}
uint32_t toTf32(float x) { return sparse_attn_emu_to_tf32(x); }
float fromTf32(uint32_t bits) { return llvm::bit_cast<float>(bits); }

constexpr Format kFormats[] = {
    {MmaKind::F16K8, 8, toHalf, fromHalf, 2},
    {MmaKind::F16K16, 16, toHalf, fromHalf, 2},
    {MmaKind::BF16K8, 8, toBfloat, fromBfloat, 2},
    {MmaKind::BF16K16, 16, toBfloat, fromBfloat, 2},
    {MmaKind::TF32K4, 4, toTf32, fromTf32, 1},
    {MmaKind::TF32K8, 8, toTf32, fromTf32, 1},
};

struct MmaTest : testing::TestWithParam<Format> {
  MmaRegisters registers[32] = {};
  MmaRegisters *lanes[32];
  float a[16][16] = {}, b[16][8] = {}, c[16][8] = {};

  MmaTest() {
    for (unsigned lane = 0; lane < 32; ++lane)
      lanes[lane] = &registers[lane];
  }

  /// Element (m, k) of A: rows go around the 8 groups of lanes, then to the
  /// next register; columns around the 4 lanes of a group, then to the next but
  /// one.
  void setA(unsigned m, unsigned k, float x) {
    const Format &format = GetParam();
    unsigned width = format.perRegister;
    unsigned lane = m % 8 * 4 + k / width % 4;
    unsigned index = m / 8 + 2 * (k / (4 * width));
    uint32_t bits = format.encode(x);
    registers[lane].a[index] |= bits << (16 * (k % width));
    a[m][k] = format.decode(bits);
  }
  void setB(unsigned k, unsigned n, float x) {
    const Format &format = GetParam();
    unsigned width = format.perRegister;
    unsigned lane = n * 4 + k / width % 4;
    uint32_t bits = format.encode(x);
    registers[lane].b[k / (4 * width)] |= bits << (16 * (k % width));
    b[k][n] = format.decode(bits);
  }
  void setC(unsigned m, unsigned n, float x) {
    registers[m % 8 * 4 + n / 2].c[m / 8 * 2 + n % 2] = x;
    c[m][n] = x;
  }
  float getD(unsigned m, unsigned n) const {
    return registers[m % 8 * 4 + n / 2].d[m / 8 * 2 + n % 2];
  }
};
} // namespace

TEST_P(MmaTest, CountsAsAMultiplyAddForEachElementAndDepth) {
  EXPECT_EQ(countMultiplyAdds(GetParam().kind), 16u * 8u * GetParam().k);
}

TEST_P(MmaTest, IsTheProductOfTheWholeMatrices) {
  unsigned k = GetParam().k;
  std::vector<float> noise(16 * 16 + 16 * 8 + 16 * 8);
  fillNormal(noise, 1, 0);
  const float *next = noise.data();
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned kk = 0; kk < k; ++kk)
      setA(m, kk, *next++);
  for (unsigned kk = 0; kk < k; ++kk)
    for (unsigned n = 0; n < 8; ++n)
      setB(kk, n, *next++);
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned n = 0; n < 8; ++n)
      setC(m, n, *next++);
  multiplyFragments(GetParam().kind, lanes);
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned n = 0; n < 8; ++n) {
      double sum = c[m][n], magnitude = std::abs(c[m][n]);
      for (unsigned kk = 0; kk < k; ++kk) {
        double product = static_cast<double>(a[m][kk]) * b[kk][n];
        sum += product;
        magnitude += std::abs(product);
      }
      // Each of two to four groups is cut off, its terms and its sum.
      EXPECT_NEAR(getD(m, n), sum, 0x1p-21 * magnitude) << m << ", " << n;
    }
}

/// Integers small enough are exact in every format, so that one element out of
/// place shows.
TEST_P(MmaTest, IsExactOnIntegers) {
  unsigned k = GetParam().k;
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned kk = 0; kk < k; ++kk)
      setA(m, kk, static_cast<float>((m * 5 + kk * 3) % 11));
  for (unsigned kk = 0; kk < k; ++kk)
    for (unsigned n = 0; n < 8; ++n)
      setB(kk, n, static_cast<float>((kk * 7 + n * 2) % 13));
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned n = 0; n < 8; ++n)
      setC(m, n, static_cast<float>(m * 8 + n));
  multiplyFragments(GetParam().kind, lanes);
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned n = 0; n < 8; ++n) {
      float sum = c[m][n];
      for (unsigned kk = 0; kk < k; ++kk)
        sum += a[m][kk] * b[kk][n];
      EXPECT_EQ(getD(m, n), sum) << m << ", " << n;
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, MmaTest, testing::ValuesIn(kFormats));

TEST(Mma, IgnoresTheBitsThatTf32LacksAndKeepsNaN) {
  MmaRegisters registers[32] = {};
  MmaRegisters *lanes[32];
  for (unsigned lane = 0; lane < 32; ++lane) {
    lanes[lane] = &registers[lane];
    registers[lane].a[0] = llvm::bit_cast<uint32_t>(1.0f) | 0x1fff;
    registers[lane].b[0] = llvm::bit_cast<uint32_t>(2.0f) | 0x1fff;
  }
  registers[1].c[0] = std::nanf("");
  multiplyFragments(MmaKind::TF32K4, lanes);
  EXPECT_EQ(registers[0].d[0], 8.0f);
  EXPECT_TRUE(std::isnan(registers[1].d[0]));
}

//===----------------------------------------------------------------------===//
// ldmatrix, stmatrix
//===----------------------------------------------------------------------===//

/// Four 8x8 matrices in shared memory, rows 32 bytes apart in an order of their
/// own; element (row, column) of matrix m is 64 m + 8 row + column.
static char *rowAddress(int32_t matrix, int32_t row) {
  return sharedMemory() + 32 * (8 * matrix + (row ^ 5));
}
static uint16_t element(int32_t matrix, int32_t row, int32_t column) {
  return static_cast<uint16_t>(64 * matrix + 8 * row + column);
}

TEST(LoadMatrix, GivesEachLaneItsPairs) {
  for (int32_t transposed : {0, 1})
    for (int32_t matrices : {1, 2, 4})
      expectNoReport({1, 32, 1024}, [=] {
        int32_t lane = threadIndex();
        for (int32_t i = lane; i < 256; i += 32)
          storeShared(rowAddress(i / 64, i / 8 % 8) + 2 * (i % 8),
                      element(i / 64, i / 8 % 8, i % 8));
        sparse_attn_emu_warp_sync(-1, kFirst);
        // Lanes beyond 8 * matrices give addresses that nobody looks at.
        const void *address = lane < 8 * matrices
                                  ? rowAddress(lane / 8, lane % 8)
                                  : static_cast<const void *>(nullptr);
        uint32_t values[4] = {};
        sparse_attn_emu_ldmatrix(address, values, matrices, transposed, kFirst);
        for (int32_t matrix = 0; matrix < matrices; ++matrix)
          for (int32_t half = 0; half < 2; ++half) {
            int32_t row = lane / 4, column = lane % 4 * 2 + half;
            if (transposed)
              std::swap(row, column);
            EXPECT_EQ(values[matrix] >> (16 * half) & 0xffff,
                      element(matrix, row, column));
          }
      });
}

TEST(LoadMatrix, ChecksEachRow) {
  auto load = [](int32_t lane, int32_t offset) {
    return [=] {
      for (int32_t i = 0; i < 8; ++i)
        storeShared(sharedMemory() + 32 * threadIndex() + 4 * i, i);
      sparse_attn_emu_warp_sync(-1, kFirst);
      uint32_t values[4];
      sparse_attn_emu_ldmatrix(sharedMemory() + 32 * threadIndex() +
                                   (threadIndex() == lane ? offset : 0),
                               values, 4, 0, kSecond);
    };
  };
  Shape shape{1, 32, 1024};
  expectNoReport(shape, load(13, 16));
  expectReport(shape,
               "misaligned access to shared memory in kernel 'kernel', block "
               "(0, 0, 0)\n  thread (13, 0, 0) reads 16 bytes",
               load(13, 8));
  expectReport(shape, "outside of shared memory", load(31, 32));
}

TEST(StoreMatrix, IsTheReverseOfALoad) {
  for (int32_t transposed : {0, 1})
    expectNoReport({1, 32, 1024}, [=] {
      int32_t lane = threadIndex();
      uint32_t values[4], back[4];
      for (int32_t i = 0; i < 4; ++i)
        values[i] = static_cast<uint32_t>(lane * 8 + 2 * i) << 16 |
                    (lane * 8 + 2 * i + 1);
      void *row = rowAddress(lane / 8, lane % 8);
      sparse_attn_emu_stmatrix(row, values, 4, transposed, kFirst);
      sparse_attn_emu_warp_sync(-1, kFirst);
      sparse_attn_emu_ldmatrix(row, back, 4, transposed, kFirst);
      for (int32_t i = 0; i < 4; ++i)
        EXPECT_EQ(back[i], values[i]);
    });
}
