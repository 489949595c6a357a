//===- LeastWaste.h - What tiles of neighbouring rows cost ------*- C++ -*-===//

#ifndef SPARSEATTN_INSPECT_LEASTWASTE_H
#define SPARSEATTN_INSPECT_LEASTWASTE_H

#include "SparseAttn/Mask/Mask.h"

namespace mlir::sparse_attn::inspection {

/// The pairs of one head that are computed at least where `rows` neighbouring
/// rows, from the first query on, are computed together: each with all keys
/// that any of them sees. Only plans whose rows or keys stand in layouts or
/// folds come below. One step for each group of rows, of which a mask in closed
/// form takes time for its pieces alone.
uint64_t countPairsOfNeighbours(const mask::Mask &mask, const mask::Lengths &n,
                                int64_t head, int64_t rows);

} // namespace mlir::sparse_attn::inspection

#endif // SPARSEATTN_INSPECT_LEASTWASTE_H
