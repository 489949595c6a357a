//===- Documents.h - The texts that an editor has open ----------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_LSP_SERVER_DOCUMENTS_H
#define SPARSEATTN_TOOLS_LSP_SERVER_DOCUMENTS_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include <memory>
#include <optional>

namespace mlir::sparse_attn::lsp_server {

/// A place in a text, which may have changed since.
struct Place {
  std::shared_ptr<const std::string> text;
  size_t offset = 0;

  llvm::StringRef before() const {
    return llvm::StringRef(*text).take_front(offset);
  }
};

/// Texts by their URIs. What MLIR's parser must not see, deep nesting, is kept
/// from upstream's server, and told as a diagnostic.
class Documents {
public:
  /// Takes note of didOpen, didChange and didClose; empties a text in them that
  /// is not to be parsed.
  void update(llvm::StringRef method, llvm::json::Object &params);

  /// Where a request's `textDocument` and `position` are.
  std::optional<Place> find(const llvm::json::Object &params) const;

  /// Puts what is wrong with a text that was emptied into `params` of
  /// publishDiagnostics.
  void addDiagnostics(llvm::json::Object &params) const;

private:
  struct Document {
    std::shared_ptr<const std::string> text;
    std::optional<llvm::json::Value> problem;
  };
  void set(llvm::StringRef uri, llvm::json::Object &holder);

  llvm::StringMap<Document> documents;
};

} // namespace mlir::sparse_attn::lsp_server

#endif // SPARSEATTN_TOOLS_LSP_SERVER_DOCUMENTS_H
