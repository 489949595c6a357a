//===- MaskDocs.h - What is to be said of masks -----------------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_LSP_SERVER_MASKDOCS_H
#define SPARSEATTN_TOOLS_LSP_SERVER_MASKDOCS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace mlir::sparse_attn::lsp_server {

/// One mask of the dialect.
struct MaskDoc {
  /// Without `#sparse_attn.`.
  std::string name;
  /// One sentence, and the rest as Markdown.
  std::string summary;
  std::string description;
  /// Those that are written `name = value`, and those written by their name.
  llvm::SmallVector<std::string> parameters, words;
};

/// All masks, by their names.
llvm::ArrayRef<MaskDoc> getMaskDocs();

/// Null where there is none of that name.
const MaskDoc *findMaskDoc(llvm::StringRef name);

/// Name, summary and description, as Markdown.
std::string describe(const MaskDoc &mask);

} // namespace mlir::sparse_attn::lsp_server

#endif // SPARSEATTN_TOOLS_LSP_SERVER_MASKDOCS_H
