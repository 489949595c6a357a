//===- Cost.h - What an attention costs against dense -----------*- C++ -*-===//
//
// Sparsity is not speed: these are the numbers by which a measured time is to
// be judged.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_INSPECT_COST_H
#define SPARSEATTN_INSPECT_COST_H

#include "SparseAttn/Support/Shape.h"

namespace mlir::sparse_attn::inspection {

struct Cost {
  /// Pairs of one batch, over all query heads.
  uint64_t livePairs = 0, totalPairs = 0;
  /// livePairs / totalPairs; 1 where there are no pairs at all.
  double density = 1;
  /// The whole op has two products with 2 operations a multiply-add, so
  /// 2 (D + Dv) for each pair. The softmax is not counted, as is usual.
  uint64_t flops = 0, denseFlops = 0;
  /// Least traffic of the whole op: Q, K and V read once, O written once.
  uint64_t bytes = 0;

  /// Operations a byte: below a machine's ratio of the two, memory is the
  /// limit.
  double intensity() const {
    return bytes ? static_cast<double>(flops) / static_cast<double>(bytes) : 0;
  }
};

/// `livePairs` counts one batch over all query heads.
Cost estimateCost(const support::AttentionShape &shape, int64_t bytesPerElement,
                  uint64_t livePairs);

} // namespace mlir::sparse_attn::inspection

#endif // SPARSEATTN_INSPECT_COST_H
