//===- PresburgerSearch.cpp - Solutions of linear integer formulas --------===//

#include "PresburgerFormula.h"
#include "mlir/Analysis/Presburger/Fraction.h"
#include "mlir/Analysis/Presburger/IntegerRelation.h"
#include "mlir/Analysis/Presburger/Simplex.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::proof;
using namespace mlir::presburger;
using llvm::DynamicAPInt;

namespace mlir::sparse_attn::proof {
/// Depth-first search with one simplex that is extended and rolled back.
class Search {
public:
  Search(const Problem &problem, int &budget)
      : problem(problem), simplex(problem.numVariables), budget(budget) {}

  Problem::Answer run(const Formula &formula,
                      llvm::SmallVectorImpl<int64_t> &sample);

private:
  using Choices = std::vector<const Formula *>;

  llvm::SmallVector<DynamicAPInt> rowOf(const Linear &form) const;
  static Linear remainderOf(const Problem::Definition &definition);
  void assume(const Linear &form);
  /// Adds what `formula` requires: inequalities now, disjunctions to `open`.
  /// False when it is plainly false.
  bool assume(const Formula &formula, Choices &open);
  Problem::Answer visit(const Choices &open,
                        llvm::SmallVectorImpl<int64_t> &sample);
  Problem::Answer decideLeaf(llvm::SmallVectorImpl<int64_t> &sample);
  Problem::Answer branchAndBound(unsigned depth,
                                 llvm::SmallVectorImpl<int64_t> &sample);
  llvm::SmallVector<bool> relevantVariables() const;
  bool isFeasible(const Formula &formula);

  const Problem &problem;
  Simplex simplex;
  /// What is assumed besides the definitions.
  std::vector<Linear> assumed;
  int &budget;
};
} // namespace mlir::sparse_attn::proof

llvm::SmallVector<DynamicAPInt> Search::rowOf(const Linear &form) const {
  llvm::SmallVector<DynamicAPInt> row(problem.numVariables + 1,
                                      DynamicAPInt(0));
  for (auto [variable, coefficient] : form.terms)
    row[variable] = DynamicAPInt(coefficient);
  row.back() = DynamicAPInt(form.constant);
  return row;
}

/// 0 <= dividend - divisor * x <= divisor - 1.
Linear Search::remainderOf(const Problem::Definition &definition) {
  Linear remainder = definition.dividend;
  remainder.add(Linear::variable(definition.variable), -definition.divisor);
  return remainder;
}

void Search::assume(const Linear &form) {
  simplex.addInequality(rowOf(form));
  assumed.push_back(form);
}

bool Search::assume(const Formula &formula, Choices &open) {
  switch (formula.kind) {
  case Formula::Kind::Atom:
    assume(formula.atom);
    return true;
  case Formula::Kind::All:
    return llvm::all_of(formula.operands, [&](const Formula &operand) {
      return assume(operand, open);
    });
  case Formula::Kind::Any:
    open.push_back(&formula);
    return !formula.operands.empty();
  }
  llvm_unreachable("all kinds handled");
}

Problem::Answer Search::run(const Formula &formula,
                            llvm::SmallVectorImpl<int64_t> &sample) {
  for (const Problem::Definition &definition : problem.definitions) {
    Linear remainder = remainderOf(definition);
    simplex.addInequality(rowOf(remainder));
    simplex.addInequality(
        rowOf(Linear::number(definition.divisor - 1) - remainder));
  }
  Choices open;
  if (!assume(formula, open))
    return Problem::Answer::Unsat;
  return visit(open, sample);
}

bool Search::isFeasible(const Formula &formula) {
  unsigned snapshot = simplex.getSnapshot();
  size_t size = assumed.size();
  Choices ignored;
  --budget;
  bool result = assume(formula, ignored) && !simplex.isEmpty();
  simplex.rollback(snapshot);
  assumed.resize(size);
  return result;
}

Problem::Answer Search::visit(const Choices &open,
                              llvm::SmallVectorImpl<int64_t> &sample) {
  if (simplex.isEmpty())
    return Problem::Answer::Unsat;
  if (--budget < 0)
    return Problem::Answer::Unknown;
  if (open.empty())
    return decideLeaf(sample);

  // Branch where the fewest alternatives are left; one or none needs no
  // branching at all.
  std::vector<const Formula *> fewest;
  unsigned chosen = 0;
  // Long choices, of a list, are looked at last: others often settle them.
  constexpr size_t longChoice = 16;
  llvm::SmallVector<unsigned> order;
  for (bool isLong : {false, true})
    for (auto [index, choice] : llvm::enumerate(open))
      if ((choice->operands.size() > longChoice) == isLong)
        order.push_back(index);
  for (unsigned index : order) {
    const Formula *choice = open[index];
    bool isFirst = index == order.front();
    std::vector<const Formula *> left;
    for (const Formula &alternative : choice->operands) {
      if (isFeasible(alternative))
        left.push_back(&alternative);
      if (!isFirst && left.size() >= fewest.size())
        break;
    }
    if (isFirst || left.size() < fewest.size()) {
      fewest = std::move(left);
      chosen = index;
    }
    if (fewest.size() <= 1)
      break;
  }

  Problem::Answer answer = Problem::Answer::Unsat;
  for (const Formula *alternative : fewest) {
    unsigned snapshot = simplex.getSnapshot();
    size_t size = assumed.size();
    Choices rest = open;
    rest.erase(rest.begin() + chosen);
    Problem::Answer branch = assume(*alternative, rest)
                                 ? visit(rest, sample)
                                 : Problem::Answer::Unsat;
    simplex.rollback(snapshot);
    assumed.resize(size);
    if (branch == Problem::Answer::Sat)
      return branch;
    if (branch == Problem::Answer::Unknown)
      answer = branch;
    if (budget < 0)
      return Problem::Answer::Unknown;
  }
  return answer;
}

/// Branch and bound on the first fractional variable. Unknowns come before
/// their quotients and fix them. Needs few steps or does not end at all.
Problem::Answer Search::branchAndBound(unsigned depth,
                                       llvm::SmallVectorImpl<int64_t> &sample) {
  if (simplex.isEmpty())
    return Problem::Answer::Unsat;
  if (--budget < 0 || depth > 6)
    return Problem::Answer::Unknown;
  auto point = simplex.getRationalSample();
  auto *fraction = llvm::find_if(
      *point, [](const Fraction &x) { return x.num % x.den != 0; });
  if (fraction == point->end()) {
    sample.clear();
    for (const Fraction &x : *point)
      sample.push_back(int64_t(x.num / x.den));
    return Problem::Answer::Sat;
  }
  Linear variable = Linear::variable(fraction - point->begin());
  int64_t below(floor(*fraction));
  Problem::Answer answer = Problem::Answer::Unsat;
  for (const Linear &half :
       {Linear::number(below) - variable, variable + (-below - 1)}) {
    unsigned snapshot = simplex.getSnapshot();
    simplex.addInequality(rowOf(half));
    Problem::Answer branch = branchAndBound(depth + 1, sample);
    simplex.rollback(snapshot);
    if (branch == Problem::Answer::Sat)
      return branch;
    if (branch == Problem::Answer::Unknown)
      answer = branch;
  }
  return answer;
}

/// The variables that the assumptions speak of, directly or by definition.
llvm::SmallVector<bool> Search::relevantVariables() const {
  llvm::SmallVector<bool> relevant(problem.numVariables, false);
  for (const Linear &form : assumed)
    for (const auto &term : form.terms)
      relevant[term.first] = true;
  // A definition only uses variables older than its own.
  for (const Problem::Definition &definition :
       llvm::reverse(problem.definitions))
    if (relevant[definition.variable])
      for (const auto &term : definition.dividend.terms)
        relevant[term.first] = true;
  return relevant;
}

Problem::Answer Search::decideLeaf(llvm::SmallVectorImpl<int64_t> &sample) {
  Problem::Answer answer = branchAndBound(0, sample);
  if (answer != Problem::Answer::Unknown)
    return answer;
  // Lattice reduction, exact but the slower the more variables there are.
  budget -= 100;
  if (budget < 0)
    return Problem::Answer::Unknown;
  llvm::SmallVector<bool> relevant = relevantVariables();
  llvm::SmallVector<int> place(problem.numVariables, -1);
  int used = 0;
  for (unsigned variable = 0; variable < problem.numVariables; ++variable)
    if (relevant[variable])
      place[variable] = used++;
  IntegerPolyhedron set(PresburgerSpace::getSetSpace(used));
  auto add = [&](const Linear &form) {
    llvm::SmallVector<DynamicAPInt> row(used + 1, DynamicAPInt(0));
    for (auto [variable, coefficient] : form.terms)
      row[place[variable]] = DynamicAPInt(coefficient);
    row.back() = DynamicAPInt(form.constant);
    set.addInequality(row);
  };
  for (const Linear &form : assumed)
    add(form);
  for (const Problem::Definition &definition : problem.definitions) {
    if (!relevant[definition.variable])
      continue;
    Linear remainder = remainderOf(definition);
    add(remainder);
    add(Linear::number(definition.divisor - 1) - remainder);
  }
  set.removeRedundantInequalities();
  auto found = set.findIntegerSample();
  if (!found)
    return Problem::Answer::Unsat;
  sample.assign(problem.numVariables, 0);
  for (unsigned variable = 0; variable < problem.numVariables; ++variable)
    if (relevant[variable])
      sample[variable] = int64_t((*found)[place[variable]]);
  return Problem::Answer::Sat;
}

Problem::Answer Problem::solve(const Formula &formula, int &budget,
                               llvm::SmallVectorImpl<int64_t> &sample) {
  return Search(*this, budget).run(formula, sample);
}
