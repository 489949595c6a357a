//===- Proxy.cpp - Between an editor and upstream's server ----------------===//

#include "Proxy.h"
#include "Completion.h"
#include "Hover.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::lsp_server;
namespace json = llvm::json;

static std::string textOf(const json::Value &value) {
  return llvm::formatv("{0}", value);
}

/// Calls `pass` for each message, which may change it.
static void readMessages(std::FILE *file, llvm::lsp::JSONStreamStyle style,
                         llvm::function_ref<void(json::Value)> pass) {
  llvm::lsp::JSONTransportInputOverFile input(file, style);
  std::string text;
  while (!input.isEndOfInput() && !input.hasError()) {
    if (failed(input.readMessage(text)))
      continue;
    llvm::Expected<json::Value> message = json::parse(text);
    if (message)
      pass(std::move(*message));
    else
      llvm::errs() << "sparse-attn-lsp-server: error: a message is no JSON: "
                   << llvm::toString(message.takeError()) << "\n";
  }
}

/// A reader that has gone is noticed where its messages are read.
static void writeMessage(std::FILE *file, const json::Value &message,
                         bool pretty) {
  std::string text =
      pretty ? llvm::formatv("{0:2}\n", message) : textOf(message);
  std::string header =
      llvm::formatv("Content-Length: {0}\r\n\r\n", text.size());
  std::fwrite(header.data(), 1, header.size(), file);
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

//===----------------------------------------------------------------------===//
// From the editor
//===----------------------------------------------------------------------===//

void Proxy::takeNote(json::Object &message) {
  std::lock_guard<std::mutex> lock(mutex);
  std::string method = message.getString("method").value_or("").str();
  json::Object *params = message.getObject("params");
  if (!params)
    return;
  documents.update(method, *params);
  const json::Value *id = message.get("id");
  if (!id ||
      (method != "textDocument/hover" && method != "textDocument/completion"))
    return;
  if (std::optional<Place> place = documents.find(*params))
    requests[textOf(*id)] = {method, *place};
}

void Proxy::passRequests(std::FILE *editor, std::FILE *server) {
  readMessages(editor, options.style, [&](json::Value message) {
    if (json::Object *object = message.getAsObject())
      takeNote(*object);
    writeMessage(server, message, /*pretty=*/false);
  });
}

//===----------------------------------------------------------------------===//
// From the server
//===----------------------------------------------------------------------===//

/// Behind what upstream has to say, or in the place of nothing.
void Proxy::addHover(json::Object &answer, const Place &place) const {
  std::string text = describe(place, options.target);
  if (text.empty())
    return;
  json::Object *result = answer.getObject("result");
  json::Object *contents = result ? result->getObject("contents") : nullptr;
  if (!contents) {
    answer["result"] = json::Object{
        {"contents", json::Object{{"kind", "markdown"}, {"value", text}}}};
    return;
  }
  (*contents)["value"] =
      (contents->getString("value").value_or("") + "\n\n---\n" + text).str();
}

static void addCompletion(json::Object &answer, const Place &place) {
  json::Object *result = answer.getObject("result");
  json::Array *items = result ? result->getArray("items") : nullptr;
  if (!items)
    return;
  for (json::Value &item : completeMask(place))
    items->push_back(std::move(item));
}

void Proxy::addOurs(json::Object &answer) {
  std::optional<Request> request;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (answer.getString("method") == "textDocument/publishDiagnostics")
      if (json::Object *params = answer.getObject("params"))
        documents.addDiagnostics(*params);
    const json::Value *id = answer.get("id");
    auto known = id ? requests.find(textOf(*id)) : requests.end();
    if (known == requests.end())
      return;
    request = std::move(known->second);
    requests.erase(known);
  }
  if (answer.get("error"))
    return;
  if (request->method == "textDocument/hover")
    addHover(answer, request->place);
  else
    addCompletion(answer, request->place);
}

void Proxy::passAnswers(std::FILE *server, std::FILE *editor) {
  readMessages(server, llvm::lsp::JSONStreamStyle::Standard,
               [&](json::Value message) {
                 if (json::Object *object = message.getAsObject())
                   addOurs(*object);
                 writeMessage(editor, message, options.pretty);
               });
}
