//===- Completion.cpp - How masks go on -----------------------------------===//

#include "Completion.h"
#include "MaskDocs.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/LSP/Protocol.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::lsp_server;
using llvm::StringRef;
namespace json = llvm::json;

static bool isWord(char c) { return llvm::isAlnum(c) || c == '_'; }

static StringRef dropWord(StringRef text) {
  while (!text.empty() && isWord(text.back()))
    text = text.drop_back();
  return text;
}

static json::Object makeItem(const llvm::Twine &label,
                             llvm::lsp::CompletionItemKind kind,
                             StringRef detail) {
  return json::Object{
      {"label", label.str()},
      {"kind", static_cast<int>(kind)},
      {"detail", detail.str()},
      {"insertTextFormat",
       static_cast<int>(llvm::lsp::InsertTextFormat::PlainText)}};
}

/// All masks, with `prefix` before their names.
static json::Array listMasks(StringRef prefix) {
  json::Array items;
  for (const MaskDoc &mask : getMaskDocs()) {
    json::Object item =
        makeItem(prefix + mask.name, llvm::lsp::CompletionItemKind::EnumMember,
                 mask.summary);
    item["documentation"] =
        json::Object{{"kind", "markdown"}, {"value", describe(mask)}};
    items.push_back(std::move(item));
  }
  return items;
}

/// Those of the mask whose bracket `before` ends in, if it does.
static json::Array listParameters(StringRef before) {
  // Brackets of lists do not count, those of other masks are closed again.
  size_t open = before.size();
  for (int depth = 1; depth > 0;) {
    open = before.find_last_of("<>(){}", open);
    if (open == StringRef::npos || StringRef("(){}").contains(before[open]))
      return {};
    depth += before[open] == '>' ? 1 : -1;
  }
  StringRef head = before.take_front(open), given = before.drop_front(open + 1);
  StringRef rest = dropWord(head);
  const MaskDoc *mask = rest.ends_with("#sparse_attn.")
                            ? findMaskDoc(head.drop_front(rest.size()))
                            : nullptr;
  json::Array items;
  if (!mask)
    return items;
  auto add = [&](const llvm::Twine &label) {
    items.push_back(makeItem(label, llvm::lsp::CompletionItemKind::Field,
                             "parameter of " + mask->name));
  };
  for (const std::string &word : mask->words)
    if (!given.contains(word))
      add(word);
  for (const std::string &parameter : mask->parameters)
    if (!given.contains(parameter + " ="))
      add(parameter + " = ");
  return items;
}

json::Array lsp_server::completeMask(const Place &place) {
  StringRef before = dropWord(place.before());
  if (before.ends_with("#sparse_attn."))
    return listMasks("");
  if (before.rtrim().ends_with("mask("))
    return listMasks("#sparse_attn.");
  before = before.rtrim();
  if (before.ends_with("<") || before.ends_with(","))
    return listParameters(before);
  return {};
}
