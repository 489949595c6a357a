//===- PackedHeads.h - Query tiles of several heads -------------*- C++ -*-===//
//
// Where there are few query rows, as in decoding, tiles of rows are empty for
// the most part, and each query head reads the keys and values that its group
// shares. A tile of one row of several heads of a group is full, and reads them
// once. Of Sq rows and G heads in a group, keys are read Sq times instead of G
// times, so that it pays where Sq <= G.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_PACKEDHEADS_H
#define SPARSEATTN_LIB_TRANSFORMS_PACKEDHEADS_H

#include "ReductionShapes.h"
#include "TileChoice.h"

namespace mlir::sparse_attn::transforms {

/// A plan of packed heads in place of `general`, which is for the same lengths;
/// nothing where no head can be packed, or gains by it.
std::optional<plan::Plan> packHeads(MaskedReductionOpInterface op,
                                    const plan::Plan &general,
                                    const TileChoice &tiles);

/// Whether packed heads pay, as an i1; a constant where sizes are known.
Value emitPackingPays(OpBuilder &b, Location loc,
                      const ReductionShapes &shapes);

/// The same at compile time: false where sizes are not known.
bool packingPays(MaskedReductionOpInterface op);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_PACKEDHEADS_H
