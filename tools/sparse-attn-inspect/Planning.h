//===- Planning.h - The plans that are inspected ----------------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_INSPECT_PLANNING_H
#define SPARSEATTN_TOOLS_INSPECT_PLANNING_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace mlir::sparse_attn::inspect_tool {

/// Fails for what is neither a level of processors, nor a chip, nor any of one
/// kind.
llvm::Error checkTarget(StringRef target);

/// Plans the attention ops that have no plan: as the pipeline for `target`
/// does, a level of processors or a chip, or, where it is empty, by the
/// planning pass alone. Fails where a plan in the file has other tiles than
/// `target` would choose. May say why it fails in a diagnostic of its own, too.
llvm::Error planAttentions(ModuleOp module, StringRef target);

} // namespace mlir::sparse_attn::inspect_tool

#endif // SPARSEATTN_TOOLS_INSPECT_PLANNING_H
