//===- DecomposeSteps.h - Steps as linalg on tiles --------------*- C++ -*-===//

#ifndef SPARSEATTN_TRANSFORMS_DECOMPOSESTEPS_H
#define SPARSEATTN_TRANSFORMS_DECOMPOSESTEPS_H

#include "mlir/IR/Operation.h"

namespace mlir::sparse_attn::transforms {

/// How a target holds tiles; see lib/Transforms/TileOps.h.
struct StepStyle {
  bool queriesInner = true;
  bool keepTypes = false;
};

/// Replaces every step, and what belongs to it, under `root` by linalg ops on
/// tiles, and every state by the tensors m [Bm], l [Bm] and A.
LogicalResult decomposeSteps(Operation *root, StepStyle style);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_TRANSFORMS_DECOMPOSESTEPS_H
