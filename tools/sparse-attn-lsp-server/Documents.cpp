//===- Documents.cpp - The texts that an editor has open ------------------===//

#include "Documents.h"
#include "SparseAttn/Support/Source.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::lsp_server;
using llvm::StringRef;
namespace json = llvm::json;

static StringRef getUri(const json::Object &params) {
  const json::Object *document = params.getObject("textDocument");
  return document ? document->getString("uri").value_or("") : "";
}

/// A diagnostic at the problem's place.
static json::Value toDiagnostic(StringRef text,
                                const support::TextProblem &problem) {
  StringRef before = text.take_front(problem.where - text.data());
  auto line = static_cast<int64_t>(before.count('\n'));
  auto column = static_cast<int64_t>(before.size() - (before.rfind('\n') + 1));
  json::Object start{{"line", line}, {"character", column}};
  json::Object end{{"line", line}, {"character", column + 1}};
  return json::Object{{"range", json::Object{{"start", std::move(start)},
                                             {"end", std::move(end)}}},
                      {"severity", 1},
                      {"source", "sparse_attn"},
                      {"message", problem.message}};
}

void Documents::set(StringRef uri, json::Object &holder) {
  auto text =
      std::make_shared<std::string>(holder.getString("text").value_or(""));
  Document &document = documents[uri];
  document.problem.reset();
  if (auto problem = support::findDeepNesting(*text)) {
    document.problem = toDiagnostic(*text, *problem);
    holder["text"] = "";
    text = std::make_shared<std::string>();
  }
  document.text = std::move(text);
}

void Documents::update(StringRef method, json::Object &params) {
  std::string uri = getUri(params).str();
  if (method == "textDocument/didOpen") {
    if (json::Object *document = params.getObject("textDocument"))
      set(uri, *document);
  } else if (method == "textDocument/didChange") {
    // Each change is a whole text: upstream's server asks for that.
    if (json::Array *changes = params.getArray("contentChanges"))
      for (json::Value &change : *changes)
        if (json::Object *object = change.getAsObject())
          set(uri, *object);
  } else if (method == "textDocument/didClose") {
    documents.erase(uri);
  }
}

std::optional<Place> Documents::find(const json::Object &params) const {
  auto known = documents.find(getUri(params));
  const json::Object *position = params.getObject("position");
  if (known == documents.end() || !position)
    return std::nullopt;
  const std::shared_ptr<const std::string> &text = known->second.text;
  size_t start = 0;
  for (int64_t line = position->getInteger("line").value_or(0); line > 0;
       --line) {
    size_t end = text->find('\n', start);
    if (end == std::string::npos)
      return std::nullopt;
    start = end + 1;
  }
  size_t end = std::min(text->find('\n', start), text->size());
  auto column =
      static_cast<size_t>(position->getInteger("character").value_or(0));
  return Place{text, std::min(start + column, end)};
}

void Documents::addDiagnostics(json::Object &params) const {
  auto known = documents.find(params.getString("uri").value_or(""));
  if (known != documents.end() && known->second.problem)
    params["diagnostics"] = json::Array{*known->second.problem};
}
