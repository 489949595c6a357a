//===- AttentionShapes.h - Sizes of one attention op ------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_ATTENTIONSHAPES_H
#define SPARSEATTN_LIB_TRANSFORMS_ATTENTIONSHAPES_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn::transforms {

/// Run-time sizes as index values, static ones as constants.
struct AttentionShapes {
  Value batch, queryHeads, keyHeads, numQueries, numKeys;
  /// Absolute position of query row 0: Sk - Sq, or the op's origin.
  Value firstPosition;
  /// Sk - firstPosition: the nq of plans and masks. Differs from numQueries
  /// only where the op is a tile of a larger attention.
  Value virtualQueries;
  /// Index of query head 0 in the mask.
  Value headOrigin;
  int64_t headSize, valueSize;
  Type elementType;

  AttentionShapes(OpBuilder &b, AttentionOp op);

  /// The key head of query head h: h / (Hq / Hkv).
  Value keyHead(OpBuilder &b, Location loc, Value queryHead) const;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_ATTENTIONSHAPES_H
