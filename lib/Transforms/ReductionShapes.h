//===- ReductionShapes.h - Sizes of one masked reduction --------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_REDUCTIONSHAPES_H
#define SPARSEATTN_LIB_TRANSFORMS_REDUCTIONSHAPES_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn::transforms {

/// Where the slots of keys of one sequence stand, and what of it a plan does
/// not speak of.
struct SlotPositions {
  /// Positions of slot 0, an index, or null where that is 0, and of the first
  /// slot that holds a key.
  Value ofSlots, ofKeys;
  /// Whether some query stands behind the last key, or all keys before
  /// position 0, so that no bound of a plan holds, an i1; null where that
  /// cannot be.
  Value areOutsidePlans;
};

/// Sk of the op, an index.
Value emitNumKeys(OpBuilder &b, MaskedReductionOpInterface op);

/// Run-time sizes as index values, static ones as constants.
struct ReductionShapes {
  Value batch, queryHeads, keyHeads, numQueries, numKeys;
  /// The rows of the tensors, of which `numQueries` are of the sequence.
  Value numTensorRows;
  /// Absolute position of query row 0: Sk - Sq, or the op's origin. Where slots
  /// have positions, numKeys is the one behind the last key.
  Value firstPosition;
  /// Sk - firstPosition: the nq of plans and masks. Differs from numQueries
  /// only where the op is a tile of a larger one.
  Value virtualQueries;
  /// Index of query head 0 in the mask, and of batch 0 and row 0 in the
  /// attention that the op is a tile of. Of ops without data or score region
  /// only the head is known.
  Value headOrigin, batchOrigin, rowOrigin;
  /// The rows of a head of that attention.
  Value wholeQueries;
  /// tensor<Bxi32> of the queries and keys that a sequence has; null where all
  /// have those of the tensors.
  Value queryLengths, keyLengths;
  /// tensor<Bxi32> of the first slots that hold keys, and tensor<i64> or
  /// tensor<Bxi64> of the positions of row 0 and slot 0; null for 0, for that
  /// at which the last row stands where the last key does, and for 0.
  Value keyBegins, queryPositions, keyPositions;
  /// Set where one of them is given, and sequences are told apart.
  std::optional<SlotPositions> slots;

  /// Position of row 0, rows and keys of whole sequences, where these are the
  /// sizes of a residue.
  Value unfoldedPosition, unfoldedQueries, unfoldedKeys;

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

  /// Those of one sequence, with the lengths that it has.
  ReductionShapes ofBatch(OpBuilder &b, Location loc, Value batch) const;
  bool hasPositions() const {
    return keyBegins || queryPositions || keyPositions;
  }
  bool hasLengths() const {
    return queryLengths || keyLengths || hasPositions();
  }

  /// The query heads of a key head: Hq / Hkv.
  Value headsOfGroup(OpBuilder &b, Location loc) const;

  /// The key head of query head h: h / (Hq / Hkv).
  Value keyHead(OpBuilder &b, Location loc, Value queryHead) const;

private:
  /// Sets the positions of the sequence `batch`, which has `keys` keys and
  /// `rows` rows from row 0 on.
  void standAt(OpBuilder &b, Location loc, Value batch, Value keys, Value rows);
  /// Notes that these sizes are those of whole sequences.
  void unfold();
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_REDUCTIONSHAPES_H
