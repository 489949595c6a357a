//===- TileRing.h - Tiles on their way through shared memory ----*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_STAGING_TILERING_H
#define SPARSEATTN_LIB_GPU_STAGING_TILERING_H

#include "Form/TileRead.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::sparse_attn::kernels {

/// One tile of a ring's slot.
struct StagedRead {
  TileRead read;
  int64_t offset; ///< within the slot
};

/// The tiles that one block of operations brings: in each iteration, where it
/// is the body of a loop over key tiles.
struct Ring {
  Block *block;
  SmallVector<StagedRead> reads;
  int64_t slotBytes = 0;
  int64_t slots = 1; ///< more where it is a loop
  /// Where in shared memory warps tell each other of the slots; none where they
  /// meet for each tile.
  std::optional<int64_t> barriers = std::nullopt;
  /// Whether a loop counts its tiles in 32 bits, as registers are few.
  bool isNarrow = false;

  scf::ForOp getLoop() const {
    return dyn_cast<scf::ForOp>(block->getParentOp());
  }
};

/// Copies reads whose tile would have to be in two places, or in one for longer
/// than it stays there.
void separateReads(gpu::LaunchOp launch);

/// Queries are copied once. The first tile that a product takes them with is
/// waited for together with them.
struct StagedQueries {
  Value token; ///< null where they have been waited for at once
  Value tile;
};

/// Replaces the read of queries whose products take the other operand from
/// `rings`.
StagedQueries stageQueries(OpBuilder &b, StagedRead &staged, Value shared,
                           MutableArrayRef<Ring> rings);

/// Replaces the reads of `ring`, and waits for the queries as well that are
/// used with them. In a loop, `ahead` tiles are on their way at a time.
void stageRing(RewriterBase &b, Ring &ring, Value shared, int64_t ahead,
               ArrayRef<StagedQueries> queries);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_STAGING_TILERING_H
