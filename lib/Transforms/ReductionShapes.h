//===- ReductionShapes.h - Sizes of one masked reduction --------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_REDUCTIONSHAPES_H
#define SPARSEATTN_LIB_TRANSFORMS_REDUCTIONSHAPES_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn::transforms {

/// Run-time sizes as index values, static ones as constants.
struct ReductionShapes {
  Value batch, queryHeads, keyHeads, numQueries, numKeys;
  /// Absolute position of query row 0: Sk - Sq, or the op's origin.
  Value firstPosition;
  /// Sk - firstPosition: the nq of plans and masks. Differs from numQueries
  /// only where the op is a tile of a larger one.
  Value virtualQueries;
  /// Index of query head 0 in the mask.
  Value headOrigin;

  /// What is known of nq and nk, and what the plan takes for granted.
  plan::LengthFacts facts;

  ReductionShapes(OpBuilder &b, MaskedReductionOpInterface op);

  /// The key head of query head h: h / (Hq / Hkv).
  Value keyHead(OpBuilder &b, Location loc, Value queryHead) const;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_REDUCTIONSHAPES_H
