//===- SizeExpr.h - Formulas as they are made -------------------*- C++ -*-===//

#ifndef SPARSEATTN_FORMULA_SIZEEXPR_H
#define SPARSEATTN_FORMULA_SIZEEXPR_H

#include "SparseAttn/Formula/Operation.h"
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sparse_attn::formula {

/// An immutable expression; a value, cheap to copy. The factories fold
/// constants and obvious identities, so that printed formulas stay readable;
/// what they return has the same value wherever their operands have one. Sizes
/// are taken to be at least 0.
class SizeExpr {
public:
  SizeExpr() : SizeExpr(constant(0)) {}
  static SizeExpr constant(int64_t value);
  /// The size of that name: a letter or '_', then letters, digits and '_'.
  static SizeExpr size(std::string_view name);
  static SizeExpr floorDiv(SizeExpr a, SizeExpr b);
  static SizeExpr min(SizeExpr a, SizeExpr b);
  static SizeExpr max(SizeExpr a, SizeExpr b);
  static SizeExpr less(SizeExpr a, SizeExpr b);
  static SizeExpr equal(SizeExpr a, SizeExpr b);
  static SizeExpr select(SizeExpr condition, SizeExpr a, SizeExpr b);
  SizeExpr operator+(SizeExpr other) const;
  SizeExpr operator-(SizeExpr other) const;
  SizeExpr operator*(SizeExpr other) const;

  std::optional<int64_t> asConstant() const;
  Op getOp() const;
  /// What an operation combines; a constant or a size has none.
  const std::vector<SizeExpr> &getOperands() const;
  /// What a size is called.
  const std::string &getName() const;
  /// Length of the formula, in operators and operands.
  uint64_t getLength() const;
  /// Adds the names of the sizes that the formula has to `names`.
  void collectSizes(std::set<std::string> &names) const;
  /// True only if no admissible sizes make it negative.
  bool isNonNegative() const;

  /// The expression in the grammar of formulas.
  std::string str() const;
  /// As an expression of C: sizes are spelled `sizePrefix` + name, functions
  /// `functionPrefix` + name.
  std::string strAsC(std::string_view sizePrefix,
                     std::string_view functionPrefix) const;

  /// Structural equality.
  friend bool operator==(const SizeExpr &a, const SizeExpr &b);
  friend bool operator!=(const SizeExpr &a, const SizeExpr &b) {
    return !(a == b);
  }

private:
  friend class Printer;
  struct Node;
  explicit SizeExpr(std::shared_ptr<const Node> node);
  static SizeExpr make(Op op, std::vector<SizeExpr> operands);
  std::shared_ptr<const Node> node;
};

/// What C needs to know of the functions that `strAsC` prints, as `static
/// inline` ones with the prefix. They do not check for overflow, and dividing
/// by less than 1 gives 0.
std::string printCFunctions(std::string_view functionPrefix);

} // namespace sparse_attn::formula

#endif // SPARSEATTN_FORMULA_SIZEEXPR_H
