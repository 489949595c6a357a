//===- Proxy.h - Between an editor and upstream's server --------*- C++ -*-===//
//
// Upstream's server has no hook for what dialects know of their attributes. So
// it runs as a process of its own, and this stands between it and the editor:
// messages pass both ways, and the answers to hover and completion get what is
// ours.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TOOLS_LSP_SERVER_PROXY_H
#define SPARSEATTN_TOOLS_LSP_SERVER_PROXY_H

#include "Documents.h"
#include "llvm/Support/LSP/Transport.h"
#include <cstdio>
#include <mutex>

namespace mlir::sparse_attn::lsp_server {

struct ProxyOptions {
  /// The style of the editor's messages; upstream's server speaks the standard
  /// one.
  llvm::lsp::JSONStreamStyle style = llvm::lsp::JSONStreamStyle::Standard;
  /// Write messages for people to read.
  bool pretty = false;
  /// What hover plans for; see sparse-attn-inspect.
  std::string target;
};

class Proxy {
public:
  Proxy(ProxyOptions options) : options(std::move(options)) {}

  /// Passes on what comes from the editor until it ends.
  void passRequests(std::FILE *editor, std::FILE *server);

  /// Passes on what comes from the server until it ends.
  void passAnswers(std::FILE *server, std::FILE *editor);

private:
  /// A request that has no answer yet.
  struct Request {
    std::string method;
    Place place;
  };
  void takeNote(llvm::json::Object &message);
  void addOurs(llvm::json::Object &answer);
  void addHover(llvm::json::Object &answer, const Place &place) const;

  ProxyOptions options;
  /// Guards what follows, as messages pass both ways at a time.
  std::mutex mutex;
  Documents documents;
  /// By the text of their id.
  llvm::StringMap<Request> requests;
};

} // namespace mlir::sparse_attn::lsp_server

#endif // SPARSEATTN_TOOLS_LSP_SERVER_PROXY_H
