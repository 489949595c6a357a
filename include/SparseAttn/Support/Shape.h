//===- Shape.h - Sizes of one attention -------------------------*- C++ -*-===//

#ifndef SPARSEATTN_SUPPORT_SHAPE_H
#define SPARSEATTN_SUPPORT_SHAPE_H

#include <cstdint>

namespace mlir::sparse_attn::support {

/// Q [batch, queryHeads, queries, headDim], K [batch, keyHeads, keys, headDim],
/// V [batch, keyHeads, keys, valueDim]; queryHeads is a multiple of keyHeads.
struct AttentionShape {
  int64_t batch = 1;
  int64_t queryHeads = 1, keyHeads = 1;
  int64_t queries = 0, keys = 0;
  int64_t headDim = 0, valueDim = 0;
};

} // namespace mlir::sparse_attn::support

#endif // SPARSEATTN_SUPPORT_SHAPE_H
