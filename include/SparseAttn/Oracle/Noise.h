//===- Noise.h - Seeded standard normal noise -------------------*- C++ -*-===//
//
// Inputs for runs without files: independent standard normals that depend on
// the seed, the stream and the index only, never on threads or order, and on
// no standard library's distribution (those differ between vendors).
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ORACLE_NOISE_H
#define SPARSEATTN_ORACLE_NOISE_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace mlir::sparse_attn::oracle {

/// Fills `out` with standard normals: element i is the same for equal (seed,
/// stream, i). `stream` tells apart the tensors of one run.
void fillNormal(llvm::MutableArrayRef<float> out, uint64_t seed,
                uint64_t stream);

/// A stateless uniform draw of [0, bound); bound > 0.
uint64_t drawBelow(uint64_t seed, uint64_t counter, uint64_t bound);

} // namespace mlir::sparse_attn::oracle

#endif // SPARSEATTN_ORACLE_NOISE_H
