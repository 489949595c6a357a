//===- Evaluate.h - Values of formulas in tests -----------------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_FORMULA_EVALUATE_H
#define SPARSEATTN_TEST_UNIT_FORMULA_EVALUATE_H

#include "SparseAttn/Formula/Postfix.h"
#include <map>

namespace formula_test {

/// Nothing where the text is no formula of these sizes or has no value.
inline std::optional<int64_t>
evaluate(const std::string &text, const std::map<std::string, int64_t> &sizes) {
  std::vector<std::string> names;
  std::vector<int64_t> values;
  for (const auto &[name, value] : sizes) {
    names.push_back(name);
    values.push_back(value);
  }
  sparse_attn::formula::ParseError error;
  auto formula = sparse_attn::formula::Postfix::parse(text, names, error);
  if (!formula)
    return std::nullopt;
  sparse_attn::formula::Value value = formula->evaluate(values.data());
  return value ? std::optional(value.value) : std::nullopt;
}

} // namespace formula_test

#endif // SPARSEATTN_TEST_UNIT_FORMULA_EVALUATE_H
