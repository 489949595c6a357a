//===- Cost.cpp - What an attention costs against dense -------------------===//

#include "SparseAttn/Inspect/Cost.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::support;

Cost inspection::estimateCost(const AttentionShape &shape,
                              int64_t bytesPerElement, uint64_t livePairs) {
  Cost cost;
  cost.livePairs = livePairs;
  cost.totalPairs =
      static_cast<uint64_t>(shape.queryHeads) * shape.queries * shape.keys;
  if (cost.totalPairs != 0)
    cost.density =
        static_cast<double>(livePairs) / static_cast<double>(cost.totalPairs);

  uint64_t flopsPerPair =
      2 * static_cast<uint64_t>(shape.headDim + shape.valueDim) * shape.batch;
  cost.flops = flopsPerPair * cost.livePairs;
  cost.denseFlops = flopsPerPair * cost.totalPairs;

  // Q and O have a row a query and query head, K and V a row a key and key
  // head; the widths D and Dv occur once on either side.
  uint64_t rows = static_cast<uint64_t>(shape.queryHeads) * shape.queries +
                  static_cast<uint64_t>(shape.keyHeads) * shape.keys;
  cost.bytes = bytesPerElement * shape.batch * rows *
               static_cast<uint64_t>(shape.headDim + shape.valueDim);
  return cost;
}
