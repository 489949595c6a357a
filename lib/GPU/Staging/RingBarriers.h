//===- RingBarriers.h - Rings whose slots have mbarriers --------*- C++ -*-===//
//
// Each slot of a ring has two mbarriers. `full` expects an arrival of each
// thread of the block, when the thread's copies have ended; `empty` one of each
// warp, when it has read the tile:
//
//   at the ring's first byte   full of slot 0, full of slot 1, ...
//   behind those               empty of slot 0, ...
//
// Tile n is in slot n mod slots, in phase n / slots of both. An mbarrier is
// asked for the parity of a phase; a fresh one seems to have completed phase
// -1, so that the first tiles find their slots empty.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_STAGING_RINGBARRIERS_H
#define SPARSEATTN_LIB_GPU_STAGING_RINGBARRIERS_H

#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlir::sparse_attn::kernels {

/// Lowers the rings of a launch by blocks of `threads` threads, and all that
/// names them; tokens are left. Waiting threads sleep for a while if the target
/// can suspend them.
LogicalResult lowerRings(gpu::LaunchOp launch, int64_t threads,
                         bool canSuspend);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_STAGING_RINGBARRIERS_H
