//===- RarePositions.h - Positions of what is rare --------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_DISTRIBUTION_RAREPOSITIONS_H
#define SPARSEATTN_LIB_GPU_DISTRIBUTION_RAREPOSITIONS_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::sparse_attn::kernels {

/// Whether an iteration of `loop` takes products of tiles.
bool hasProducts(scf::ForOp loop);

/// Whether some loop in `region` has products: a block of a branch that has one
/// is for rare inputs.
bool hasLoopsOfProducts(Region &region);

/// Lets blocks that only rare inputs reach compute positions and limits by
/// themselves that come from outside, where accumulators leave a thread few
/// registers.
void bringPositions(gpu::LaunchOp launch, int64_t numThreads);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_DISTRIBUTION_RAREPOSITIONS_H
