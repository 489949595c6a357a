//===- MaskOwner.h - Masks that only their attribute can tell ---*- C++ -*-===//

#ifndef SPARSEATTN_LIB_IR_MASKOWNER_H
#define SPARSEATTN_LIB_IR_MASKOWNER_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// The mask of `attribute`. Where it has leaves that nobody but the attribute
/// can emit, it is one leaf itself, with the attribute for an owner.
Mask getMaskWithOwner(MaskAttrInterface attribute, std::optional<int64_t> nk);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_MASKOWNER_H
