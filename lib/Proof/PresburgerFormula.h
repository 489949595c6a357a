//===- PresburgerFormula.h - Linear integer formulas and their search *- C++
//-*-===//
//
// Conjunctions and disjunctions of linear inequalities over integers, with
// floor divisions as defined variables. The search branches over disjunctions,
// prunes what is empty over the rationals by one simplex that is extended and
// rolled back, and decides the remaining conjunctions exactly, all with MLIR's
// Presburger library.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_PROOF_PRESBURGERFORMULA_H
#define SPARSEATTN_LIB_PROOF_PRESBURGERFORMULA_H

#include "SparseAttn/Plan/TileExpr.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <vector>

namespace mlir::sparse_attn::proof {

/// constant + sum of coefficient * variable, by variable number.
struct Linear {
  llvm::SmallVector<std::pair<unsigned, int64_t>, 4> terms;
  int64_t constant = 0;

  static Linear variable(unsigned number) {
    Linear result;
    result.terms.push_back({number, 1});
    return result;
  }
  static Linear number(int64_t value) {
    Linear result;
    result.constant = value;
    return result;
  }
  Linear &add(const Linear &other, int64_t factor = 1);
  friend Linear operator+(Linear a, const Linear &b) { return a.add(b); }
  friend Linear operator-(Linear a, const Linear &b) { return a.add(b, -1); }
  friend Linear operator+(Linear a, int64_t b) {
    a.constant += b;
    return a;
  }
  friend Linear operator*(const Linear &a, int64_t b) {
    return Linear().add(a, b);
  }
};

/// An inequality `atom >= 0`, or all or any of some formulas. All of none is
/// true, any of none is false.
struct Formula {
  enum class Kind { Atom, All, Any } kind = Kind::All;
  Linear atom;
  std::vector<Formula> operands;

  static Formula nonNegative(Linear form);
  static Formula lessEqual(const Linear &a, const Linear &b) {
    return nonNegative(b - a);
  }
  static Formula less(const Linear &a, const Linear &b) {
    return nonNegative(b - a + (-1));
  }
  static Formula all(std::vector<Formula> operands);
  static Formula any(std::vector<Formula> operands);
};

/// Integer variables, some of them defined as floor divisions, and the search
/// for values that make a formula true.
class Problem {
public:
  unsigned addVariable() { return numVariables++; }
  /// The variable floor(dividend / divisor).
  Linear floorDiv(const Linear &dividend, int64_t divisor);

  /// expr >= 0, q, nq and nk having the values given.
  struct Values {
    Linear q, nq, nk;
  };
  Formula nonNegative(const plan::TileExpr &expr, int64_t factor, Linear rest,
                      const Values &values);

  enum class Answer { Sat, Unsat, Unknown };
  /// With Sat, `sample` holds a value for every variable. Each simplex that is
  /// solved takes one off `budget`; at 0 the answer is Unknown.
  Answer solve(const Formula &formula, int &budget,
               llvm::SmallVectorImpl<int64_t> &sample);

private:
  friend class Search;
  struct Definition {
    unsigned variable;
    Linear dividend;
    int64_t divisor;
  };
  Linear linearize(const plan::TileExpr &expr, const Values &values);

  unsigned numVariables = 0;
  std::vector<Definition> definitions;
};

} // namespace mlir::sparse_attn::proof

#endif // SPARSEATTN_LIB_PROOF_PRESBURGERFORMULA_H
