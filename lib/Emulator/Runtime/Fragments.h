//===- Fragments.h - Which lane holds what of a matrix ----------*- C++ -*-===//
//
// The layouts of ldmatrix, stmatrix and mma.sync in the PTX ISA, and the
// arithmetic of mma.sync. Below, lane = 4 g + t with g in 0..7, t in 0..3.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_EMULATOR_RUNTIME_FRAGMENTS_H
#define SPARSEATTN_EMULATOR_RUNTIME_FRAGMENTS_H

#include "SparseAttn/Emulator/Runtime.h"

namespace mlir::sparse_attn::emulator {

/// Row r of an 8x8 matrix of 16-bit elements starts at rows[r]. Lane (g, t)
/// gets elements (g, 2t) and (g, 2t + 1), or of the transposed matrix; the
/// first is in the lower half.
void loadMatrix(const uint16_t *const rows[8], bool transposed,
                uint32_t result[32]);
/// The reverse.
void storeMatrix(uint16_t *const rows[8], bool transposed,
                 const uint32_t values[32]);

/// D = A B + C of a whole warp, where A is 16 x K row by row, B is K x 8 and C
/// and D are 16 x 8 f32:
///
///   C, D   c0, c1: row g, columns 2t, 2t + 1;  c2, c3: row g + 8
///   A      16 bits: register r has row g + 8 (r mod 2), columns
///          2t + 8 (r div 2) and the next; tf32: row g + 8 (r mod 2), column
///          t + 4 (r div 2)
///   B      16 bits: register r has column g, rows 2t + 8 r and the next;
///          tf32: column g, row t + 4 r
///
/// The lower 13 bits of tf32 operands are ignored, as the hardware does;
/// TensorCore.h has the arithmetic.
void multiplyFragments(MmaKind kind, MmaRegisters *const lanes[32]);

/// The multiply-adds of one such product, 16 times 8 times K.
uint64_t countMultiplyAdds(MmaKind kind);

} // namespace mlir::sparse_attn::emulator

#endif // SPARSEATTN_EMULATOR_RUNTIME_FRAGMENTS_H
