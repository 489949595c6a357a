//===- ManifestFormula.h - Formulas of a manifest ---------------*- C++ -*-===//
//
// Formulas whose faults are errors of the runtime.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_RUNTIME_MANIFESTFORMULA_H
#define SPARSEATTN_LIB_RUNTIME_MANIFESTFORMULA_H

#include "SparseAttn/Formula/Postfix.h"

namespace sparse_attn::runtime {

class Formula {
public:
  static Formula constant(int64_t value);
  /// `sizes` are the names it may use. Throws CORRUPT_PACKAGE.
  static Formula parse(std::string_view text,
                       const std::vector<std::string> &sizes);

  /// `values[i]` is the size of the i-th name. Throws TOO_LARGE where a value
  /// does not fit, WRONG_SHAPE where a divisor is less than 1.
  int64_t evaluate(const std::vector<int64_t> &values) const;
  /// Whether a condition holds, as which none does that divides by 0. Throws
  /// TOO_LARGE.
  bool holds(const std::vector<int64_t> &values) const;
  std::optional<int64_t> asConstant() const { return postfix.asConstant(); }
  bool uses(size_t size) const { return postfix.uses(size); }
  const std::string &str() const { return text; }
  friend bool operator==(const Formula &a, const Formula &b) {
    return a.text == b.text;
  }

private:
  formula::Postfix postfix;
  std::string text = "0";
};

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_MANIFESTFORMULA_H
