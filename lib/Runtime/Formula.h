//===- Formula.h - Formulas of a manifest -----------------------*- C++ -*-===//
//
// The integer expressions over sizes whose grammar is in docs/Package.md, ready
// to be evaluated without allocating. Values are 64-bit; what does not fit is
// an error and never wraps.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_RUNTIME_FORMULA_H
#define SPARSEATTN_LIB_RUNTIME_FORMULA_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  std::optional<int64_t> asConstant() const;
  const std::string &str() const { return text; }
  friend bool operator==(const Formula &a, const Formula &b) {
    return a.text == b.text;
  }

private:
  friend class FormulaParser;
  enum class Op {
    Constant,
    Size,
    Add,
    Sub,
    Mul,
    FloorDiv,
    Min,
    Max,
    Less,
    Equal,
    Select
  };
  struct Step {
    Op op;
    int64_t value = 0; ///< the constant, or the size's number
  };
  /// As the compiler's own parser has it.
  static constexpr int kMaxDepth = 256;
  /// At each level wait at most two operands of a select, a sum and a product.
  static constexpr int kMaxStack = 4 * (kMaxDepth + 1);
  int64_t apply(Op op, int64_t a, int64_t b) const;

  /// In postfix order.
  std::vector<Step> steps = {{Op::Constant, 0}};
  std::string text = "0";
};

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_FORMULA_H
