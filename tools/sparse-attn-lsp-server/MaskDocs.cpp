//===- MaskDocs.cpp - What is to be said of masks -------------------------===//
//
// Read from the page that mlir-tblgen writes of them:
//
//   ### CausalAttr
//   _A query sees ..._
//   Syntax: `#sparse_attn.causal`, or a block of code
//   A description
//   #### Parameters:
//   | name | `type` | |
//
//===----------------------------------------------------------------------===//

#include "MaskDocs.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <vector>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::lsp_server;
using llvm::StringRef;

static constexpr char kPage[] =
#include "MaskDocs.inc"
    ;

static bool isWord(char c) { return llvm::isAlnum(c) || c == '_'; }

/// The rows of the table. What is a mask itself is written without a name.
static void readParameters(StringRef table, MaskDoc &mask) {
  StringRef rows = table.split("----------- |\n").second;
  for (StringRef row : llvm::split(rows.rtrim(), '\n')) {
    if (!row.consume_front("| ") || row.contains("MaskAttrInterface"))
      continue;
    bool isWritten = row.contains("written alone");
    (isWritten ? mask.words : mask.parameters)
        .push_back(row.take_while(isWord).str());
  }
}

/// Behind the syntax, which is one line or a block.
static StringRef readDescription(StringRef text) {
  auto [syntax, rest] = text.split("\n");
  if (!syntax.empty())
    return rest.trim();
  return text.split("```").second.split("```").second.trim();
}

static MaskDoc readMask(StringRef section) {
  MaskDoc mask;
  auto [text, parameters] = section.split("#### Parameters:");
  mask.name = text.split("#sparse_attn.").second.take_while(isWord).str();
  auto [heading, syntax] = text.split("Syntax:");
  mask.summary = heading.split("\n").second.trim("_\n ").str();
  mask.description = readDescription(syntax).str();
  readParameters(parameters, mask);
  return mask;
}

static std::vector<MaskDoc> readPage() {
  std::vector<MaskDoc> masks;
  for (StringRef section :
       llvm::drop_begin(llvm::split(StringRef(kPage), "\n### ")))
    masks.push_back(readMask(section));
  return masks;
}

llvm::ArrayRef<MaskDoc> lsp_server::getMaskDocs() {
  static const std::vector<MaskDoc> masks = readPage();
  return masks;
}

const MaskDoc *lsp_server::findMaskDoc(StringRef name) {
  for (const MaskDoc &mask : getMaskDocs())
    if (mask.name == name)
      return &mask;
  return nullptr;
}

std::string lsp_server::describe(const MaskDoc &mask) {
  std::string text = "`#sparse_attn." + mask.name + "`: " + mask.summary;
  if (!mask.description.empty())
    text += "\n\n" + mask.description;
  if (!mask.parameters.empty())
    text += "\n\nParameters: `" + llvm::join(mask.parameters, "`, `") + "`";
  return text;
}
