//===- MaskExtent.h - How deep and how large a mask may be ------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_IR_MASKEXTENT_H
#define SPARSEATTN_LIB_IR_MASKEXTENT_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn {

/// Levels of composition; published patterns have four.
constexpr unsigned kMaxMaskDepth = 64;
/// Masks in a composition, the combinators included.
constexpr uint64_t kMaxMaskSize = 1024;

/// Rejects a combinator of `members` beyond these limits.
LogicalResult verifyExtent(llvm::function_ref<InFlightDiagnostic()> emitError,
                           ArrayRef<MaskAttrInterface> members);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_IR_MASKEXTENT_H
