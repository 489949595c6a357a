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

  /// Where query row 0 and key 0 of a residue are among all rows and keys of
  /// the tensors, which are `step` apart; null where they are the first ones.
  Value firstRow, firstKey;
  int64_t step = 1;

  ReductionShapes(OpBuilder &b, MaskedReductionOpInterface op);

  /// Those of the queries from `row` on, `step` apart, and of the keys of their
  /// residue: numbers of theirs stand in the place of positions. `row` is below
  /// `step`; where there is no such query, numQueries is 0.
  ReductionShapes fold(OpBuilder &b, Location loc, int64_t step,
                       Value row) const;

  /// The query heads of a key head: Hq / Hkv.
  Value headsOfGroup(OpBuilder &b, Location loc) const;

  /// The key head of query head h: h / (Hq / Hkv).
  Value keyHead(OpBuilder &b, Location loc, Value queryHead) const;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_REDUCTIONSHAPES_H
