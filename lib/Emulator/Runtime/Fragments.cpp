//===- Fragments.cpp - Which lane holds what of a matrix ------------------===//

#include "Fragments.h"
#include "SparseAttn/Oracle/Float16.h"
#include "TensorCore.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::oracle;
using namespace mlir::sparse_attn::emulator;

void emulator::loadMatrix(const uint16_t *const rows[8], bool transposed,
                          uint32_t result[32]) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned i = lane / 4, j = 2 * (lane % 4);
    uint16_t low = transposed ? rows[j][i] : rows[i][j];
    uint16_t high = transposed ? rows[j + 1][i] : rows[i][j + 1];
    result[lane] = low | static_cast<uint32_t>(high) << 16;
  }
}

void emulator::storeMatrix(uint16_t *const rows[8], bool transposed,
                           const uint32_t values[32]) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned i = lane / 4, j = 2 * (lane % 4);
    (transposed ? rows[j][i] : rows[i][j]) = values[lane];
    (transposed ? rows[j + 1][i] : rows[i][j + 1]) = values[lane] >> 16;
  }
}

static float widenHalf(uint16_t bits) { return halfToFloat(bits); }
static float widenBfloat(uint16_t bits) { return bfloatToFloat(bits); }

template <float (*widen)(uint16_t)>
static void gatherPairs(unsigned k, MmaRegisters *const lanes[32],
                        MmaMatrices &operands) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned g = lane / 4, t = lane % 4;
    for (unsigned r = 0; r < k / 4; ++r) {
      unsigned row = g + 8 * (r % 2), column = 2 * t + 8 * (r / 2);
      operands.a[row][column] = widen(lanes[lane]->a[r]);
      operands.a[row][column + 1] = widen(lanes[lane]->a[r] >> 16);
    }
    for (unsigned r = 0; r < k / 8; ++r) {
      operands.b[2 * t + 8 * r][g] = widen(lanes[lane]->b[r]);
      operands.b[2 * t + 8 * r + 1][g] = widen(lanes[lane]->b[r] >> 16);
    }
  }
}

static float dropLowBits(uint32_t tf32) {
  return llvm::bit_cast<float>(tf32 & ~0x1fffu);
}

static void gatherTf32(unsigned k, MmaRegisters *const lanes[32],
                       MmaMatrices &operands) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned g = lane / 4, t = lane % 4;
    for (unsigned r = 0; r < k / 2; ++r)
      operands.a[g + 8 * (r % 2)][t + 4 * (r / 2)] =
          dropLowBits(lanes[lane]->a[r]);
    for (unsigned r = 0; r < k / 4; ++r)
      operands.b[t + 4 * r][g] = dropLowBits(lanes[lane]->b[r]);
  }
}

/// Rows and columns of lane's accumulator i.
static unsigned accumulatorRow(unsigned lane, unsigned i) {
  return lane / 4 + 8 * (i / 2);
}
static unsigned accumulatorColumn(unsigned lane, unsigned i) {
  return 2 * (lane % 4) + i % 2;
}

uint64_t emulator::countMultiplyAdds(MmaKind kind) {
  constexpr uint64_t perDepth = uint64_t(16) * 8;
  switch (kind) {
  case MmaKind::F16K16:
  case MmaKind::BF16K16:
    return perDepth * 16;
  case MmaKind::F16K8:
  case MmaKind::BF16K8:
  case MmaKind::TF32K8:
    return perDepth * 8;
  case MmaKind::TF32K4:
    return perDepth * 4;
  }
  llvm_unreachable("all kinds handled");
}

void emulator::multiplyFragments(MmaKind kind, MmaRegisters *const lanes[32]) {
  MmaMatrices operands;
  unsigned k = 16, group = 8;
  switch (kind) {
  case MmaKind::F16K8:
    gatherPairs<widenHalf>(k = 8, lanes, operands);
    break;
  case MmaKind::F16K16:
    gatherPairs<widenHalf>(k, lanes, operands);
    break;
  case MmaKind::BF16K8:
    gatherPairs<widenBfloat>(k = 8, lanes, operands);
    break;
  case MmaKind::BF16K16:
    gatherPairs<widenBfloat>(k, lanes, operands);
    break;
  case MmaKind::TF32K4:
    gatherTf32(k = group = 4, lanes, operands);
    break;
  case MmaKind::TF32K8:
    gatherTf32(k = 8, lanes, operands);
    group = 4;
    break;
  }
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 4; ++i)
      operands.d[accumulatorRow(lane, i)][accumulatorColumn(lane, i)] =
          lanes[lane]->c[i];
  multiplyAccumulate(operands, k, group);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 4; ++i)
      lanes[lane]->d[i] =
          operands.d[accumulatorRow(lane, i)][accumulatorColumn(lane, i)];
}
