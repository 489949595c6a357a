//===- Postfix.h - Formulas as they are evaluated ---------------*- C++ -*-===//

#ifndef SPARSEATTN_FORMULA_POSTFIX_H
#define SPARSEATTN_FORMULA_POSTFIX_H

#include "SparseAttn/Formula/Operation.h"
#include <optional>
#include <string>
#include <vector>

namespace sparse_attn::formula {

/// Where in a text, and what is wrong there.
struct ParseError {
  size_t offset = 0;
  std::string message;
};

/// A parsed formula in postfix order, ready to be evaluated without
/// allocating.
class Postfix {
public:
  /// The formula `value`.
  explicit Postfix(int64_t value = 0) : steps{{Op::Constant, value}} {}
  /// `sizes` are the names that the text may use.
  static std::optional<Postfix> parse(std::string_view text,
                                      const std::vector<std::string> &sizes,
                                      ParseError &error);

  /// `sizes[i]` is the value of the i-th name. Of a divisor that is less than
  /// 1, the fault has the value.
  Value evaluate(const int64_t *sizes) const;
  std::optional<int64_t> asConstant() const;
  /// Whether the value may depend on that of the i-th name.
  bool uses(size_t size) const;

private:
  friend class Parser;
  struct Step {
    Op op;
    int64_t value = 0; ///< the constant, or the size's number
  };
  std::vector<Step> steps;
};

} // namespace sparse_attn::formula

#endif // SPARSEATTN_FORMULA_POSTFIX_H
