//===- FewBlocks.h - Parts of launches of few blocks ------------*- C++ -*-===//
//
// A GPU on which fewer query tiles run than it has room for stands idle in part
// (decoding, or a short sequence). A plan for few blocks splits each query
// tile's keys into parts. How many there are follows from the device and from
// the grid, so that the host computes it at each launch:
//
//   room   = floor(multiprocessors * blocks of each / query tiles)
//   useful = floor(keys / 256), of those that the last query tile sees where
//            that is no more at any length
//   parts  = max(1, min(room, useful, 32)), from 4 on a multiple of 4: as many
//            are merged at a time
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_FEWBLOCKS_H
#define SPARSEATTN_LIB_TRANSFORMS_FEWBLOCKS_H

#include "ReductionShapes.h"

namespace mlir::sparse_attn::transforms {

/// The tile's rows in a plan for few blocks: the fewest that a warp takes.
constexpr int64_t kFewBlocksRows = 16;

/// The keys of the tiles that the last query tile of a class visits.
int64_t keysOfLastTile(const plan::RowClass &cls, plan::TileShape tile,
                       const mask::Lengths &n);

/// For how many parts of each query tile a device of so many multiprocessors
/// has room: 0 where the tiles alone fill it.
Value emitRoomForParts(OpBuilder &b, Location loc, Value multiprocessors,
                       const plan::Plan &plan, const ReductionShapes &shapes);

/// Parts that the keys of the class's last query tile make: a shorter one is
/// not worth its merge.
Value emitUsefulParts(OpBuilder &b, Location loc, const plan::RowClass &cls,
                      plan::TileShape tile, const ReductionShapes &shapes);

/// Into how many parts, at least 1, the query tiles of a class are split.
Value emitNumParts(OpBuilder &b, Location loc, const plan::RowClass &cls,
                   const plan::Plan &plan, const ReductionShapes &shapes);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_FEWBLOCKS_H
