//===- StateScales.h - The scale that a state is read with ------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_STATESCALES_H
#define SPARSEATTN_LIB_TRANSFORMS_STATESCALES_H

#include "mlir/IR/Operation.h"

namespace mlir::sparse_attn::transforms {

/// Checks each `finish` and `is_trusted` inside `root`: its scale has to be
/// what the steps behind its state have left to apply, which is their own
/// scale, or 1 where a score region came after it. A stored state is one of
/// `merge_stored`'s scale. Reports an error at the op that reads, with a note
/// at the op that made the state.
LogicalResult verifyStateScales(Operation *root);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_STATESCALES_H
