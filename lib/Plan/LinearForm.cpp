//===- LinearForm.cpp - Sums of multiples of atoms ------------------------===//

#include "LinearForm.h"
#include "TileExprNode.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

using Kind = TileExpr::Kind;

TileExpr LinearForm::makeNode(Kind kind, int64_t value) {
  return TileExpr(std::make_shared<TileExpr::Node>(
      TileExpr::Node{kind, value, nullptr, nullptr}));
}

TileExpr LinearForm::makeNode(Kind kind, int64_t value, const TileExpr &lhs) {
  return TileExpr(std::make_shared<TileExpr::Node>(
      TileExpr::Node{kind, value, lhs.node, nullptr}));
}

TileExpr LinearForm::makeNode(Kind kind, const TileExpr &lhs,
                              const TileExpr &rhs) {
  return TileExpr(std::make_shared<TileExpr::Node>(
      TileExpr::Node{kind, 0, lhs.node, rhs.node}));
}

void LinearForm::addTerm(const TileExpr &atom, int64_t factor) {
  if (factor == 0)
    return;
  Term *it = llvm::lower_bound(
      terms, atom, [](const Term &term, const TileExpr &value) {
        return TileExpr::compare(term.first, value) < 0;
      });
  if (it == terms.end() || it->first != atom) {
    terms.insert(it, {atom, factor});
    return;
  }
  it->second = wrapAdd(it->second, factor);
  if (it->second == 0)
    terms.erase(it);
}

void LinearForm::add(const TileExpr &expr, int64_t factor) {
  switch (expr.getKind()) {
  case Kind::Constant:
    addConstant(wrapMul(expr.getConstant(), factor));
    return;
  case Kind::Add:
    add(expr.getLhs(), factor);
    add(expr.getRhs(), factor);
    return;
  case Kind::Mul:
    add(expr.getLhs(), wrapMul(factor, expr.getConstant()));
    return;
  default:
    addTerm(expr, factor);
  }
}

void LinearForm::add(const LinearForm &other, int64_t factor) {
  for (const Term &term : other.terms)
    addTerm(term.first, wrapMul(term.second, factor));
  addConstant(wrapMul(other.constant, factor));
}

TileExpr LinearForm::toExpr() const {
  if (terms.empty())
    return TileExpr::constant(constant);
  // A constant goes into a lone minimum or maximum, so that nests of them stay
  // flat: max(0, x) * 2 + 1 = max(1, x * 2 + 1).
  if (terms.size() == 1 && (terms[0].second != 1 || constant != 0) &&
      (terms[0].first.getKind() == Kind::Min ||
       terms[0].first.getKind() == Kind::Max)) {
    const auto &[atom, factor] = terms[0];
    TileExpr lhs = atom.getLhs() * factor + constant;
    TileExpr rhs = atom.getRhs() * factor + constant;
    bool isMin = (atom.getKind() == Kind::Min) == (factor > 0);
    return isMin ? TileExpr::min(lhs, rhs) : TileExpr::max(lhs, rhs);
  }
  std::optional<TileExpr> sum;
  for (bool negative : {false, true}) {
    for (const auto &[atom, factor] : terms) {
      if ((factor < 0) != negative)
        continue;
      TileExpr product = factor == 1 ? atom : makeNode(Kind::Mul, factor, atom);
      sum = sum ? makeNode(Kind::Add, *sum, product) : product;
    }
  }
  if (constant == 0)
    return *sum;
  return makeNode(Kind::Add, *sum, TileExpr::constant(constant));
}

LinearForm plan::difference(const TileExpr &a, const TileExpr &b) {
  LinearForm result(a);
  result.add(b, -1);
  return result;
}

void plan::flatten(Kind kind, const TileExpr &expr,
                   llvm::SmallVectorImpl<TileExpr> &operands) {
  if (expr.getKind() != kind) {
    operands.push_back(expr);
    return;
  }
  flatten(kind, expr.getLhs(), operands);
  flatten(kind, expr.getRhs(), operands);
}
