//===- LinearForm.h - Sums of multiples of atoms ----------------*- C++ -*-===//
//
// The canonical form behind TileExpr's factories: a constant plus integer
// multiples of distinct atoms, where an atom is a variable, a floor division,
// a minimum or a maximum.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_PLAN_LINEARFORM_H
#define SPARSEATTN_LIB_PLAN_LINEARFORM_H

#include "SparseAttn/Plan/TileExpr.h"
#include "llvm/ADT/SmallVector.h"
#include <utility>

namespace mlir::sparse_attn::plan {

/// Two's-complement arithmetic without undefined behaviour: bounds of real
/// sequences are far from 2^63, hostile ones must still not trap.
inline int64_t wrapAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) +
                              static_cast<uint64_t>(b));
}
inline int64_t wrapMul(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) *
                              static_cast<uint64_t>(b));
}
/// floor(a / b), b > 0.
inline int64_t floorDivide(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

class LinearForm {
public:
  using Term = std::pair<TileExpr, int64_t>;

  LinearForm() = default;
  explicit LinearForm(const TileExpr &expr) { add(expr, 1); }

  void add(const TileExpr &expr, int64_t factor);
  void add(const LinearForm &other, int64_t factor);
  void addConstant(int64_t value) { constant = wrapAdd(constant, value); }
  void addTerm(const TileExpr &atom, int64_t factor);
  void removeTerm(unsigned index) { terms.erase(terms.begin() + index); }

  /// Sorted by TileExpr::compare; no factor is zero.
  llvm::ArrayRef<Term> getTerms() const { return terms; }
  int64_t getConstant() const { return constant; }
  bool isConstant() const { return terms.empty(); }

  /// The expression tree of the sum: positive terms, negative ones, constant.
  TileExpr toExpr() const;

  /// Node construction for the factories.
  static TileExpr makeNode(TileExpr::Kind kind, int64_t value);
  static TileExpr makeNode(TileExpr::Kind kind, int64_t value,
                           const TileExpr &lhs);
  static TileExpr makeNode(TileExpr::Kind kind, const TileExpr &lhs,
                           const TileExpr &rhs);

private:
  llvm::SmallVector<Term, 4> terms;
  int64_t constant = 0;
};

/// a - b.
LinearForm difference(const TileExpr &a, const TileExpr &b);

/// The operands of a nest of `kind` (Min or Max), or `expr` itself.
void flatten(TileExpr::Kind kind, const TileExpr &expr,
             llvm::SmallVectorImpl<TileExpr> &operands);

/// True only if `form` is certainly a multiple of `divisor` >= 1.
bool isMultiple(const LinearForm &form, int64_t divisor,
                const LengthFacts &facts);

/// A constant that `form` is certain never to be below, if one is found.
std::optional<int64_t> lowerBound(const LinearForm &form,
                                  const LengthFacts &facts);

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_LIB_PLAN_LINEARFORM_H
