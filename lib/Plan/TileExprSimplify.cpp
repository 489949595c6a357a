//===- TileExprSimplify.cpp - Shorter forms of expressions ----------------===//

#include "LinearForm.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

using Kind = TileExpr::Kind;

bool TileExpr::provablyLE(TileExpr a, TileExpr b, const LengthFacts &facts) {
  std::optional<int64_t> gap = lowerBound(difference(b, a), facts);
  return gap && *gap >= 0;
}

/// The value of `expr` where the facts leave only one.
static std::optional<int64_t> onlyValue(const TileExpr &expr,
                                        const LengthFacts &facts) {
  std::optional<int64_t> low = lowerBound(LinearForm(expr), facts);
  if (!low)
    return std::nullopt;
  LinearForm negated;
  negated.add(expr, -1);
  std::optional<int64_t> high = lowerBound(negated, facts);
  if (!high || *low != -*high)
    return std::nullopt;
  return low;
}

static TileExpr simplifyExtremum(const TileExpr &expr,
                                 const LengthFacts &facts) {
  Kind kind = expr.getKind();
  llvm::SmallVector<TileExpr> operands;
  flatten(kind, expr, operands);
  for (TileExpr &operand : operands)
    operand = operand.simplify(facts);
  auto isRedundant = [&](const TileExpr &operand, const TileExpr &other) {
    return kind == Kind::Min ? TileExpr::provablyLE(other, operand, facts)
                             : TileExpr::provablyLE(operand, other, facts);
  };
  for (unsigned k = 0; k < operands.size();) {
    bool drop = false;
    for (unsigned other = 0; other < operands.size() && !drop; ++other)
      drop = other != k && isRedundant(operands[k], operands[other]);
    if (drop)
      operands.erase(operands.begin() + k);
    else
      ++k;
  }
  TileExpr result = operands.front();
  for (const TileExpr &operand : llvm::drop_begin(operands))
    result = kind == Kind::Min ? TileExpr::min(result, operand)
                               : TileExpr::max(result, operand);
  return result;
}

/// floor(dividend / divisor), in which what the assumption says is a multiple
/// of the divisor stands alone: floor((nk + 63) / 64) is floor(nk / 64) where
/// 64 divides nk.
static TileExpr divide(const TileExpr &dividend, int64_t divisor,
                       const LengthFacts &facts) {
  if (facts.assumed.isTrivial())
    return dividend.floorDiv(divisor);
  Kind kind = dividend.getKind();
  if (kind == Kind::Min || kind == Kind::Max) {
    TileExpr lhs = divide(dividend.getLhs(), divisor, facts);
    TileExpr rhs = divide(dividend.getRhs(), divisor, facts);
    return kind == Kind::Min ? TileExpr::min(lhs, rhs)
                             : TileExpr::max(lhs, rhs);
  }
  LinearForm form(dividend), exact, rest;
  for (const auto &[atom, factor] : form.getTerms()) {
    bool isWhole = factor % divisor == 0;
    (isWhole ? exact : rest).addTerm(atom, isWhole ? factor / divisor : factor);
  }
  if (rest.isConstant() || !isMultiple(rest, divisor, facts))
    return dividend.floorDiv(divisor);
  exact.addConstant(floorDivide(form.getConstant(), divisor));
  return rest.toExpr().floorDiv(divisor) + exact.toExpr();
}

TileExpr TileExpr::simplify(const LengthFacts &facts) const {
  TileExpr result;
  switch (getKind()) {
  case Kind::Constant:
    return *this;
  case Kind::QueryTile:
    if (facts.lastTile && *facts.lastTile <= 0)
      return constant(0);
    return *this;
  case Kind::NumQueries:
    return facts.nq ? constant(*facts.nq) : *this;
  case Kind::NumKeys:
    if (facts.nk)
      return constant(*facts.nk);
    return facts.areEqual() ? numQueries() : *this;
  case Kind::Add:
    return getLhs().simplify(facts) + getRhs().simplify(facts);
  case Kind::Mul:
    return getLhs().simplify(facts) * getConstant();
  case Kind::FloorDiv:
    result = divide(getLhs().simplify(facts), getConstant(), facts);
    break;
  case Kind::Min:
  case Kind::Max:
    result = simplifyExtremum(*this, facts);
    break;
  }
  if (result.asConstant())
    return result;
  std::optional<int64_t> value = onlyValue(result, facts);
  return value ? constant(*value) : result;
}
