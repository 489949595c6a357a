//===- Completion.h - How masks go on ---------------------------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_LSP_SERVER_COMPLETION_H
#define SPARSEATTN_TOOLS_LSP_SERVER_COMPLETION_H

#include "Documents.h"

namespace mlir::sparse_attn::lsp_server {

/// Items of a completion: masks behind `#sparse_attn.`, and behind `mask(` with
/// that; in a mask's brackets the parameters that it does not have yet.
llvm::json::Array completeMask(const Place &place);

} // namespace mlir::sparse_attn::lsp_server

#endif // SPARSEATTN_TOOLS_LSP_SERVER_COMPLETION_H
