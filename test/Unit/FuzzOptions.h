//===- FuzzOptions.h - Size and seed of the random tests --------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_FUZZOPTIONS_H
#define SPARSEATTN_TEST_UNIT_FUZZOPTIONS_H

#include <cstdint>
#include <cstdlib>

namespace mlir::sparse_attn::test {

/// The number in the environment's `variable` where that is set, else
/// `byDefault`.
inline uint64_t fuzzOption(const char *variable, uint64_t byDefault) {
  const char *text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : byDefault;
}

/// SPARSE_ATTN_FUZZ_CASES where it is set, else `byDefault`.
inline int fuzzCases(int byDefault) {
  return fuzzOption("SPARSE_ATTN_FUZZ_CASES", byDefault);
}

} // namespace mlir::sparse_attn::test

#endif // SPARSEATTN_TEST_UNIT_FUZZOPTIONS_H
