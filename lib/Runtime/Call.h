//===- Call.h - A call whose sizes are known --------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_CALL_H
#define SPARSEATTN_LIB_RUNTIME_CALL_H

#include "Binding.h"
#include "Program.h"

namespace sparse_attn::runtime {

/// What a variant's buffers are in a call, and how errors name things of it.
struct Call {
  const Variant &variant;
  const LaunchRequest &request;
  /// Formulas of launches read these: the sizes, then the device's
  /// multiprocessors.
  std::vector<int64_t> values;
  /// What is launched for them, once it has been chosen.
  const LaunchVariant *launches = nullptr;

  /// The tensor in whose memory an argument or a result is.
  CallTensor getTensor(BufferRef buffer) const;
  /// `workspace` is the address of the call's workspace.
  uint64_t getAddress(BufferRef buffer, uint64_t workspace) const;

  /// "argument 0 (query) of 'f'"
  std::string describe(BufferRef buffer) const;
  /// "kernel 'f_0' of 'f'"
  std::string describe(const Launch &launch) const;
};

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_CALL_H
