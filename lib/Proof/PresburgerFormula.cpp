//===- PresburgerFormula.cpp - Linear integer formulas --------------------===//

#include "PresburgerFormula.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

using Kind = TileExpr::Kind;

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

Linear &Linear::add(const Linear &other, int64_t factor) {
  for (auto [variable, coefficient] : other.terms) {
    auto *it = llvm::find_if(
        terms, [v = variable](const auto &term) { return term.first == v; });
    if (it == terms.end()) {
      if (coefficient * factor != 0)
        terms.push_back({variable, coefficient * factor});
      continue;
    }
    it->second += coefficient * factor;
    if (it->second == 0)
      terms.erase(it);
  }
  constant += other.constant * factor;
  return *this;
}

Formula Formula::nonNegative(Linear form) {
  if (form.terms.empty())
    return form.constant >= 0 ? all({}) : any({});
  // A common factor of the coefficients tightens the constant.
  int64_t common = 0;
  for (const auto &term : form.terms)
    common = std::gcd(common, term.second);
  if (common > 1) {
    for (auto &term : form.terms)
      term.second /= common;
    int64_t quotient = form.constant / common;
    form.constant = form.constant % common < 0 ? quotient - 1 : quotient;
  }
  Formula result;
  result.kind = Kind::Atom;
  result.atom = std::move(form);
  return result;
}

static Formula combine(Formula::Kind kind, std::vector<Formula> operands) {
  Formula result;
  result.kind = kind;
  for (Formula &operand : operands) {
    if (operand.kind == Formula::Kind::Atom) {
      result.operands.push_back(std::move(operand));
      continue;
    }
    if (operand.kind == kind) {
      for (Formula &inner : operand.operands)
        result.operands.push_back(std::move(inner));
      continue;
    }
    // True makes `any` true, false makes `all` false.
    if (operand.operands.empty())
      return operand;
    result.operands.push_back(std::move(operand));
  }
  if (result.operands.size() == 1) {
    Formula only = std::move(result.operands.front());
    return only;
  }
  return result;
}

Formula Formula::all(std::vector<Formula> operands) {
  return combine(Kind::All, std::move(operands));
}

Formula Formula::any(std::vector<Formula> operands) {
  return combine(Kind::Any, std::move(operands));
}

Linear Problem::floorDiv(const Linear &dividend, int64_t divisor) {
  if (dividend.terms.empty()) {
    int64_t quotient = dividend.constant / divisor;
    return Linear::number(dividend.constant % divisor < 0 ? quotient - 1
                                                          : quotient);
  }
  for (const Definition &known : definitions) {
    Linear gap = dividend - known.dividend;
    if (known.divisor == divisor && gap.terms.empty() && gap.constant == 0)
      return Linear::variable(known.variable);
  }
  unsigned variable = addVariable();
  definitions.push_back({variable, dividend, divisor});
  return Linear::variable(variable);
}

/// The first minimum or maximum among the terms of `expr`, with its factor.
static std::optional<std::pair<TileExpr, int64_t>>
findExtremum(const TileExpr &expr, int64_t factor) {
  switch (expr.getKind()) {
  case Kind::Min:
  case Kind::Max:
    return std::pair(expr, factor);
  case Kind::Mul:
    return findExtremum(expr.getLhs(), factor * expr.getConstant());
  case Kind::Add:
    if (auto found = findExtremum(expr.getLhs(), factor))
      return found;
    return findExtremum(expr.getRhs(), factor);
  default:
    return std::nullopt;
  }
}

/// `expr` with no minimum or maximum below a floor division:
/// floor((x + k * min(a, b)) / d) is the minimum, for k < 0 the maximum, of
/// floor((x + k * a) / d) and floor((x + k * b) / d); dually for max.
static TileExpr hoistExtrema(const TileExpr &expr) {
  switch (expr.getKind()) {
  case Kind::Add:
    return hoistExtrema(expr.getLhs()) + hoistExtrema(expr.getRhs());
  case Kind::Mul:
    return hoistExtrema(expr.getLhs()) * expr.getConstant();
  case Kind::FloorDiv: {
    TileExpr dividend = hoistExtrema(expr.getLhs());
    auto found = findExtremum(dividend, 1);
    if (!found)
      return dividend.floorDiv(expr.getConstant());
    const auto &[inner, factor] = *found;
    TileExpr rest = dividend - inner * factor;
    TileExpr a = hoistExtrema(
        (rest + inner.getLhs() * factor).floorDiv(expr.getConstant()));
    TileExpr b = hoistExtrema(
        (rest + inner.getRhs() * factor).floorDiv(expr.getConstant()));
    return (inner.getKind() == Kind::Min) == (factor > 0) ? TileExpr::min(a, b)
                                                          : TileExpr::max(a, b);
  }
  case Kind::Min:
    return TileExpr::min(hoistExtrema(expr.getLhs()),
                         hoistExtrema(expr.getRhs()));
  case Kind::Max:
    return TileExpr::max(hoistExtrema(expr.getLhs()),
                         hoistExtrema(expr.getRhs()));
  default:
    return expr;
  }
}

Formula Problem::nonNegative(const TileExpr &expr, int64_t factor, Linear rest,
                             const Values &values) {
  llvm::SmallVector<std::pair<TileExpr, int64_t>> pending = {{expr, factor}};
  while (!pending.empty()) {
    auto [part, scale] = pending.pop_back_val();
    switch (part.getKind()) {
    case Kind::Constant:
      rest.constant += part.getConstant() * scale;
      break;
    case Kind::QueryTile:
      rest.add(values.q, scale);
      break;
    case Kind::NumQueries:
      rest.add(values.nq, scale);
      break;
    case Kind::NumKeys:
      rest.add(values.nk, scale);
      break;
    case Kind::Add:
      pending.push_back({part.getLhs(), scale});
      pending.push_back({part.getRhs(), scale});
      break;
    case Kind::Mul:
      pending.push_back({part.getLhs(), scale * part.getConstant()});
      break;
    case Kind::FloorDiv: {
      TileExpr hoisted = hoistExtrema(part);
      if (findExtremum(hoisted, 1))
        pending.push_back({hoisted, scale});
      else
        rest.add(linearize(hoisted, values), scale);
      break;
    }
    case Kind::Min:
    case Kind::Max: {
      // k * min(a, b) + x >= 0: for k > 0 both cases hold, for k < 0 one does.
      TileExpr others = TileExpr::constant(0);
      for (const auto &[other, otherScale] : pending)
        others = others + other * otherScale;
      std::vector<Formula> cases;
      for (const TileExpr &operand : {part.getLhs(), part.getRhs()})
        cases.push_back(nonNegative(others + operand * scale, 1, rest, values));
      return (part.getKind() == Kind::Min) == (scale > 0)
                 ? Formula::all(std::move(cases))
                 : Formula::any(std::move(cases));
    }
    }
  }
  return Formula::nonNegative(std::move(rest));
}

Linear Problem::linearize(const TileExpr &expr, const Values &values) {
  switch (expr.getKind()) {
  case Kind::Constant:
    return Linear::number(expr.getConstant());
  case Kind::QueryTile:
    return values.q;
  case Kind::NumQueries:
    return values.nq;
  case Kind::NumKeys:
    return values.nk;
  case Kind::Add:
    return linearize(expr.getLhs(), values) + linearize(expr.getRhs(), values);
  case Kind::Mul:
    return linearize(expr.getLhs(), values) * expr.getConstant();
  case Kind::FloorDiv:
    return floorDiv(linearize(expr.getLhs(), values), expr.getConstant());
  case Kind::Min:
  case Kind::Max:
    break;
  }
  llvm_unreachable("minimum and maximum are split before");
}
