//===- FewRegisters.h - Where accumulators leave few registers --*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_FEWREGISTERS_H
#define SPARSEATTN_LIB_GPU_FEWREGISTERS_H

#include <cstdint>

namespace mlir::sparse_attn::kernels {

/// Whether a thread that has what products come to in so many registers has so
/// few others that each one which is live through a loop over tiles may be one
/// that ptxas spills. With more than 160, of heads of 128 and 48 keys on sm_80,
/// ptxas 13 orders loops such that what saves registers elsewhere makes it
/// spill.
constexpr bool leavesFewRegisters(int64_t accumulators) {
  return accumulators > 128 && accumulators <= 160;
}

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FEWREGISTERS_H
