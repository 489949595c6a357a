//===- FuzzCases.h - Size of the random tests -------------------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_PLAN_FUZZCASES_H
#define SPARSEATTN_TEST_UNIT_PLAN_FUZZCASES_H

#include <cstdlib>

/// SPARSE_ATTN_FUZZ_CASES where it is set, else `byDefault`.
inline int fuzzCases(int byDefault) {
  if (const char *text = std::getenv("SPARSE_ATTN_FUZZ_CASES"))
    return std::atoi(text);
  return byDefault;
}

#endif // SPARSEATTN_TEST_UNIT_PLAN_FUZZCASES_H
