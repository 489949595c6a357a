//===- Hover.h - What is to be said of a place in a text --------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_LSP_SERVER_HOVER_H
#define SPARSEATTN_TOOLS_LSP_SERVER_HOVER_H

#include "Documents.h"

namespace mlir::sparse_attn::lsp_server {

/// Markdown, or nothing: of a mask's name its meaning, else of the attention op
/// that is there its plan for `target` (see sparse-attn-inspect) and counts.
std::string describe(const Place &place, llvm::StringRef target);

} // namespace mlir::sparse_attn::lsp_server

#endif // SPARSEATTN_TOOLS_LSP_SERVER_HOVER_H
