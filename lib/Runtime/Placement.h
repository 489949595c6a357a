//===- Placement.h - Where the tensors of a call are ------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_RUNTIME_PLACEMENT_H
#define SPARSEATTN_LIB_RUNTIME_PLACEMENT_H

#include "Binding.h"

namespace sparse_attn::runtime {

/// Memory besides the tensors' that kernels write, of 0 bytes where there is
/// none.
struct Workspace {
  uint64_t address = 0, bytes = 0;
};

/// Address, alignment and strides of all tensors of a call whose types and
/// shapes are right, and that nothing that is written overlaps anything else of
/// the call. A result that is written to an argument or to another result may
/// have the address 0; another address than that one's is INVALID_ARGUMENT.
/// Throws WRONG_STRIDES, MISALIGNED, TOO_LARGE, INVALID_ARGUMENT.
void checkPlacement(const Variant &variant, const SparseAttnTensor *arguments,
                    const SparseAttnTensor *results, Workspace workspace);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_PLACEMENT_H
