//===- MaskText.h - Random MLIR text for the fuzz test ----------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_TEXT_MASKTEXT_H
#define SPARSEATTN_TEST_UNIT_TEXT_MASKTEXT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mlir::sparse_attn::test {

class TextGenerator {
public:
  explicit TextGenerator(uint64_t seed) : random(seed) {}

  /// A function with one attention op and a mask drawn from the grammar, whose
  /// numbers are mostly small and sometimes extreme.
  std::string generate();

  /// `text` with a few tokens deleted, doubled, swapped, or taken from
  /// `corpus`, numbers replaced by extreme ones, or brackets doubled.
  std::string mutate(llvm::StringRef text, llvm::ArrayRef<std::string> corpus);

  uint64_t below(uint64_t limit) { return random() % limit; }

private:
  bool oneIn(uint64_t n) { return below(n) == 0; }
  llvm::StringRef choose(llvm::ArrayRef<llvm::StringRef> options) {
    return options[below(options.size())];
  }
  std::string number();
  std::string parameter(llvm::StringRef name) {
    return name.str() + " = " + number();
  }
  std::string extent(llvm::StringRef name);
  std::string primitive();
  std::string preset();
  std::string mask(unsigned depth);
  std::string size(llvm::ArrayRef<llvm::StringRef> usual);

  std::mt19937_64 random;
};

/// Numbers, names with their sigils, comments, spaces and single characters.
std::vector<std::string> splitTokens(llvm::StringRef text);

} // namespace mlir::sparse_attn::test

#endif // SPARSEATTN_TEST_UNIT_TEXT_MASKTEXT_H
