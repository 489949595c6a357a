//===- LeastWaste.cpp - What tiles of neighbouring rows cost --------------===//

#include "SparseAttn/Inspect/LeastWaste.h"
#include <algorithm>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;

uint64_t inspection::countPairsOfNeighbours(const Mask &mask, const Lengths &n,
                                            int64_t head, int64_t rows) {
  uint64_t pairs = 0;
  for (int64_t row = 0; row < n.nq; row += rows) {
    Range group = {row, std::min(row + rows, n.nq)};
    Range positions = {group.begin + n.firstQuery(),
                       group.end + n.firstQuery()};
    uint64_t keys = liveKeysOfRows(mask, n, head, positions).size();
    pairs += keys * static_cast<uint64_t>(group.size());
  }
  return pairs;
}
