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
  /// Emits what is the same for all pairs. `row` and `key`: the positions of
  /// the first query and key, as index values.
  StepRegions(OpBuilder &b, StepOp step, Value row, Value key);

  /// The score that the step's region makes of `score`.
  Value score(OpBuilder &b, Value score, Value k, Value q) const;
  /// Whether the step's mask allows the pair.
  Value isAllowed(OpBuilder &b, Value k, Value q) const;

private:
  /// The position of element `index` of a tile, as an i32.
  Value positionOf(OpBuilder &b, Value first, Value index) const;
  /// Copies what `mapping` does not have of a region, and returns what it
  /// yields.
  static Value copy(OpBuilder &b, Region &region, IRMapping mapping);

  StepOp step;
  /// Positions, as i32 values.
  Value firstRow, firstKey;
  /// The values of the score region that depend on no pair.
  IRMapping shared;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_STEPREGIONS_H
