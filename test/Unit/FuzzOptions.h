//===- FuzzOptions.h - Size and seed of the random tests --------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_FUZZOPTIONS_H
#define SPARSEATTN_TEST_UNIT_FUZZOPTIONS_H

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace mlir::sparse_attn::test {

/// The number in the environment's `variable` where that is set, else
/// `byDefault`.
inline uint64_t fuzzOption(const char *variable, uint64_t byDefault) {
  const char *text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : byDefault;
}

/// SPARSE_ATTN_FUZZ_CASES where it is set, else `byDefault`, but no more than
/// SPARSE_ATTN_FUZZ_LIMIT: a slow build runs fewer cases of tests that have
/// many, and not more of those that have few.
inline int fuzzCases(int byDefault) {
  uint64_t limit = fuzzOption("SPARSE_ATTN_FUZZ_LIMIT", byDefault);
  return fuzzOption("SPARSE_ATTN_FUZZ_CASES",
                    std::min<uint64_t>(byDefault, limit));
}

} // namespace mlir::sparse_attn::test

#endif // SPARSEATTN_TEST_UNIT_FUZZOPTIONS_H
