//===- Sizes.h - Sizes of an attention op from type and --shape -*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_INSPECT_SIZES_H
#define SPARSEATTN_TOOLS_INSPECT_SIZES_H

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Support/Shape.h"
#include "SparseAttn/Support/ShapeBindings.h"
#include "llvm/Support/Error.h"

namespace mlir::sparse_attn::inspect_tool {

/// Tells `bindings` the names of all sizes of `op`, and which of them were
/// given. `entry` names the function of `op`.
void noteNames(AttentionOp op, StringRef entry,
               support::ShapeBindings &bindings);

/// The sizes of `op`. Fails for a dynamic size that is not bound, and for sizes
/// whose costs do not fit 64 bits. `entry` names the function of `op`.
llvm::Expected<support::AttentionShape>
resolveShape(AttentionOp op, StringRef entry, support::ShapeBindings &bindings);

} // namespace mlir::sparse_attn::inspect_tool

#endif // SPARSEATTN_TOOLS_INSPECT_SIZES_H
