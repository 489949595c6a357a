//===- Spelling.cpp - Errors of names that do not exist -------------------===//

#include "Spelling.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;

std::string mlir::sparse_attn::quoteList(ArrayRef<StringRef> names) {
  std::string list;
  for (auto [index, name] : llvm::enumerate(names)) {
    if (index > 0)
      list += index + 1 == names.size() ? " and " : ", ";
    list += ("'" + name + "'").str();
  }
  return list;
}

/// Edits from `word` to `name` or to a word of it, whichever is closer.
static unsigned getDistance(StringRef word, StringRef name) {
  unsigned distance = word.edit_distance(name);
  for (StringRef part : llvm::split(name, '_'))
    distance = std::min(distance, word.edit_distance(part));
  return distance;
}

std::string mlir::sparse_attn::suggestName(StringRef word,
                                           ArrayRef<StringRef> names) {
  // More than a letter of three is another word.
  unsigned closest = word.size() / 3 + 1;
  StringRef suggested;
  for (StringRef name : names) {
    unsigned distance = getDistance(word, name);
    if (distance < closest)
      std::tie(closest, suggested) = std::pair(distance, name);
  }
  return suggested.empty() ? ""
                           : (" (did you mean '" + suggested + "'?)").str();
}

/// `'strided' has the parameter 'stride'` and the like.
static std::string describeParameters(const AttributeSpelling &spelling) {
  bool one = spelling.parameters.size() == 1;
  return ("'" + spelling.mnemonic + "' has the " +
          (one ? "parameter " : "parameters ") + quoteList(spelling.parameters))
      .str();
}

/// MLIR's errors about the list of parameters, not about a value in it.
static bool isAboutParameters(StringRef message) {
  return message.contains("struct") || message.starts_with("expected '");
}

ParameterHelp::ParameterHelp(MLIRContext *context,
                             const AttributeSpelling &spelling)
    : handler(context, [spelling](Diagnostic &diagnostic) {
        if (!spelling.parameters.empty() && isAboutParameters(diagnostic.str()))
          diagnostic << "; " << describeParameters(spelling);
        return failure(); // The handlers below print it.
      }) {}
