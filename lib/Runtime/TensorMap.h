//===- TensorMap.h - How bulk copies find tiles in a tensor -----*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_TENSORMAP_H
#define SPARSEATTN_LIB_RUNTIME_TENSORMAP_H

#include "Call.h"

namespace sparse_attn::runtime {

/// A parameter of a kernel that tells copies of tiles where a buffer of a call
/// is and how its rows lie. A buffer without elements has no map, but zeros; a
/// kernel that runs for it must not use them.
class TensorMap {
public:
  /// All but the address. Throws MISALIGNED and TOO_LARGE.
  TensorMap(const TensorMapArgument &argument, const Call &call);

  /// Has the driver make the 128 bytes, which are here. Throws MISALIGNED, and
  /// what the driver finds wrong.
  void *encode(const Driver &driver, uint64_t workspace);

private:
  void addSize(int64_t size);
  void addStride(int64_t elements, uint64_t size);

  const TensorMapArgument *argument;
  const Call *call;
  /// As the driver counts dimensions, from the innermost one.
  std::vector<uint64_t> sizes;
  std::vector<uint64_t> strides; ///< in bytes, of all but the innermost
  bool isEmpty = false;
  CUtensorMap map = {};
};

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_TENSORMAP_H
