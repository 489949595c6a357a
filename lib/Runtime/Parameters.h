//===- Parameters.h - What kernels take -------------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_PARAMETERS_H
#define SPARSEATTN_LIB_RUNTIME_PARAMETERS_H

#include "Call.h"
#include "TensorMap.h"
#include <utility>

namespace sparse_attn::runtime {

/// The parameters of all kernels of a call, one after another. All but
/// addresses are computed when they are added; those are known when there is a
/// workspace.
class Parameters {
public:
  explicit Parameters(const Call &call) : call(call) {}

  size_t size() const { return values.size(); }

  /// Throws TOO_LARGE and MISALIGNED.
  void add(const Launch &launch);

  /// Where each parameter is, with its address set or its map made, for as long
  /// as this object stays as it is. Throws MISALIGNED, and what the driver
  /// finds wrong.
  std::vector<void *> locate(const Driver &driver, uint64_t workspace);

private:
  void add(const Launch &launch, const PointerArgument &argument);
  void add(const Launch &launch, const StrideArgument &argument);
  void add(const Launch &launch, const IntegerArgument &argument);
  void add(const Launch &launch, const TensorMapArgument &argument);

  const Call &call;
  /// An address is 0 until it is known, and a map always.
  std::vector<uint64_t> values;
  /// By the number of the parameter.
  std::vector<std::pair<size_t, BufferRef>> pointers;
  std::vector<std::pair<size_t, TensorMap>> maps;
};

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_PARAMETERS_H
