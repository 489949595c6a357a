//===- Overlap.h - Whether strided tensors share memory ---------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_OVERLAP_H
#define SPARSEATTN_LIB_RUNTIME_OVERLAP_H

#include <cstdint>
#include <vector>

namespace sparse_attn::runtime {

/// The bytes of a tensor: `width` ones from each address
/// start + sum of index * stride, 0 <= index < size.
struct StridedBytes {
  struct Dim {
    int64_t size;
    int64_t stride; ///< in bytes
  };
  uint64_t start = 0;
  int64_t width = 1;
  std::vector<Dim> dims;
};

/// Whether a byte may be of both; false is certain. The answer is exact unless
/// it takes more than kMaxOverlapSteps to find, as it may for strides that
/// neither divide nor contain one another; then it is true.
bool mayOverlap(const StridedBytes &a, const StridedBytes &b);
inline constexpr int kMaxOverlapSteps = 1 << 16;

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_OVERLAP_H
