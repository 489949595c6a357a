//===- Grid.h - The order of a grid's blocks --------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_LAUNCH_GRID_H
#define SPARSEATTN_LIB_GPU_LAUNCH_GRID_H

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::sparse_attn::kernels {

/// The iterations of a forall, in a row along the grid's x, of which a device
/// takes 2^31 - 1; of y and z it takes 65,535.
///
/// The last loop runs over the tiles of what the others count (the query tiles
/// of a head). Longer tiles first is what keeps all multiprocessors busy to the
/// end (Graham, Bounds on Multiprocessing Timing Anomalies, 1969): under a
/// causal mask those are the later ones. In that order over all heads, though,
/// a chip would work on the keys and values of all of them at a time. So heads
/// are taken in groups whose keys and values fit a part of the second-level
/// cache, and the order holds within a group:
///
///   blocks - 1 - block = heads before the group * tiles
///                        + tile * heads of the group + head in the group
///
/// The last group may have fewer heads. It runs first, as the blocks that run
/// last should have many short ones among them.
class Grid {
public:
  /// Emits sizes at `b`, before `forall`. `cacheBytes` is what arrays that its
  /// loops read again may take of the cache.
  Grid(OpBuilder &b, scf::ForallOp forall, int64_t cacheBytes);

  /// How many blocks there are: an index.
  Value getBlocks() const { return blocks; }

  /// The indices of the forall's loops in a block, whose number is an index.
  SmallVector<Value> indices(OpBuilder &b, Location loc, Value block) const;

private:
  /// How many make a group: an i32, at least 1.
  Value headsOfGroup(OpBuilder &b, Location loc) const;

  SmallVector<Value> sizes; ///< of the forall's loops, outermost first
  Value heads;              ///< product of all but the last
  Value blocks;
  /// Each array that loops read again has so many rows. It is null where there
  /// is no such array, and then heads come one after another.
  Value rows;
  int64_t rowsOfCache = 0; ///< for which it has room, of all these arrays
};

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_LAUNCH_GRID_H
