//===- TensorCore.h - The arithmetic of mma.sync ----------------*- C++ -*-===//
//
// What a tensor core does with the products of one element of D is not
// specified, but has been measured, bit by bit (Fasi, Higham, Mikaitis and
// Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science
// 7:e330, 2021; Khattak and Mikaitis, "Accurate models of NVIDIA tensor cores",
// arXiv:2512.07004, 2025): a few products at a time and the accumulator are
// written in one fixed-point format, whose last bit is some bits below that of
// an f32 as large as the largest of them; what is below is cut off; the sum,
// which is exact, is cut off to f32. Nothing is rounded to nearest.
//
//              products of 16 bits   of tf32   bits below an f32's last
//   sm_80-89            8                4                 1
//   sm_90, sm_100      16                8                 2
//
// The emulator does as sm_80 does, which loses most.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_TENSORCORE_H
#define SPARSEATTN_EMULATOR_RUNTIME_TENSORCORE_H

namespace mlir::sparse_attn::emulator {

/// Matrices of f32, which hold f16, bf16 and tf32 exactly; of A and B, the
/// first K columns and rows count.
struct MmaMatrices {
  float a[16][16];
  float b[16][8];
  float d[16][8];
};

/// D += A B over a depth of `depth`, `group` products at a time.
void multiplyAccumulate(MmaMatrices &matrices, unsigned depth, unsigned group);

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_TENSORCORE_H
