//===- KeyPositions.h - Where the slots of a tile stand ---------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_KEYPOSITIONS_H
#define SPARSEATTN_LIB_TRANSFORMS_KEYPOSITIONS_H

#include "SparseAttn/Plan/Layout.h"
#include "mlir/IR/Builders.h"

namespace mlir::sparse_attn::transforms {

/// The positions of the slots of tile number `tile`, an index, as a
/// tensor<B x i32>. Slots past the end of a list, and those past the end of any
/// sequence, stand at maxSequenceLength, where no key is.
Value emitPositions(OpBuilder &b, Location loc, const plan::Layout &layout,
                    Value tile);

/// The same of the tile that begins at slot `first`, which is none below 0.
Value emitPositionsFrom(OpBuilder &b, Location loc, const plan::Layout &layout,
                        Value first);

/// The position of one slot, as an index.
Value emitPosition(OpBuilder &b, Location loc, const plan::Layout &layout,
                   Value slot);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_KEYPOSITIONS_H
