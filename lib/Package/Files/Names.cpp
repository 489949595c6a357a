//===- Names.cpp - Names of files, identifiers and chips ------------------===//

#include "SparseAttn/Package/Files/Package.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::package;
using llvm::StringRef;

/// Longer parts of symbols are cut: file systems end at 255 bytes.
static constexpr size_t kMaxName = 64;

static std::string shortHash(StringRef text) {
  llvm::SHA256 hash;
  hash.update(text);
  return llvm::toHex(hash.final(), /*LowerCase=*/true).substr(0, 8);
}

/// Letters, digits and '_'; no digit first.
static std::string sanitize(StringRef symbol) {
  std::string name;
  for (char c : symbol.take_front(kMaxName))
    name += llvm::isAlnum(c) ? c : '_';
  if (name.empty() || llvm::isDigit(name.front()))
    name.insert(name.begin(), '_');
  return name;
}

std::string package::makeIdentifier(StringRef symbol) {
  std::string name = sanitize(symbol);
  return name == symbol ? name : name + "_" + shortHash(symbol);
}

std::string package::makeFileName(StringRef symbol, StringRef chip,
                                  StringRef extension) {
  return (sanitize(symbol) + "-" + shortHash(symbol) + "." + chip + "." +
          extension)
      .str();
}

/// The number of sm_90a, 90.
static StringRef getNumber(StringRef chip) {
  chip.consume_front("sm_");
  return chip.take_while(llvm::isDigit);
}

std::string package::getComputeCapability(StringRef chip) {
  StringRef number = getNumber(chip);
  return (number.drop_back() + "." + number.take_back()).str();
}

bool package::isArchitectureSpecific(StringRef chip) {
  return chip.ends_with("a");
}
