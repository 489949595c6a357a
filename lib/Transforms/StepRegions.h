//===- StepRegions.h - The regions of a step in a target's code -*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_STEPREGIONS_H
#define SPARSEATTN_LIB_TRANSFORMS_STEPREGIONS_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::sparse_attn::transforms {

/// Copies the regions of a step for its pairs: query q and key k are indices of
/// the tile.
class StepRegions {
public:
  /// Emits what is the same for all pairs. `rows` and `keys`: the position of
  /// the first query and of the first key, an index, or a tensor of those of
  /// all.
  StepRegions(OpBuilder &b, StepOp step, Value rows, Value keys);

  /// The score that the step's region makes of `score`.
  Value score(OpBuilder &b, Value score, Value k, Value q) const;
  /// Whether the step's mask allows the pair.
  Value isAllowed(OpBuilder &b, Value k, Value q) const;

private:
  /// The positions of a query and a key of the tile, as i32.
  Value rowPosition(OpBuilder &b, Value q) const;
  Value keyPosition(OpBuilder &b, Value k) const;
  /// Copies what `mapping` does not have of a region, and returns what it
  /// yields.
  static Value copy(OpBuilder &b, Region &region, IRMapping mapping);

  StepOp step;
  /// Positions, as i32 values; one of the two of rows, and of keys.
  Value firstRow, rowPositions, firstKey, keyPositions;
  /// The values of the score region that depend on no pair.
  IRMapping shared;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_STEPREGIONS_H
