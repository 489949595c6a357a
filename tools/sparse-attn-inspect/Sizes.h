//===- Sizes.h - Sizes of an attention op from type and --shape -*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_INSPECT_SIZES_H
#define SPARSEATTN_TOOLS_INSPECT_SIZES_H

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Support/Shape.h"
#include "llvm/Support/Error.h"

namespace mlir::sparse_attn {

/// What the user says of dynamic sizes: B, H (query and key heads), S (queries
/// and keys), Sq, Sk. Sq and Sk win over S.
class ShapeBindings {
public:
  /// From `S=4096` and the like.
  static llvm::Expected<ShapeBindings> parse(ArrayRef<std::string> texts);

  std::optional<int64_t> get(StringRef key) const;

private:
  SmallVector<std::pair<std::string, int64_t>> bindings;
};

/// The sizes of `op`. Fails for a dynamic size that is not bound, for a binding
/// that every size it speaks of contradicts, and for sizes whose costs do not
/// fit 64 bits. `entry` names the function of `op`.
llvm::Expected<AttentionShape> resolveShape(AttentionOp op, StringRef entry,
                                            const ShapeBindings &bindings);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_TOOLS_INSPECT_SIZES_H
