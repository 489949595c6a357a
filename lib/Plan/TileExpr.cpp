//===- TileExpr.cpp - Closed-form tile bounds -----------------------------===//
//
// The factories keep every expression canonical: sums are linear forms over
// distinct atoms, floor divisions have no common factor left to cancel and sit
// below min and max, and nests of min or max are sorted, left-associated and
// free of operands that differ by a constant.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Plan/TileExpr.h"
#include "LinearForm.h"
#include "TileExprNode.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cassert>
#include <numeric>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

using Kind = TileExpr::Kind;

TileExpr::TileExpr(std::shared_ptr<const Node> node) : node(std::move(node)) {}

TileExpr TileExpr::constant(int64_t value) {
  return LinearForm::makeNode(Kind::Constant, value);
}

TileExpr TileExpr::queryTile() {
  return LinearForm::makeNode(Kind::QueryTile, 0);
}

TileExpr TileExpr::numQueries() {
  return LinearForm::makeNode(Kind::NumQueries, 0);
}

TileExpr TileExpr::numKeys() { return LinearForm::makeNode(Kind::NumKeys, 0); }

Kind TileExpr::getKind() const { return node->kind; }
int64_t TileExpr::getConstant() const { return node->value; }

TileExpr TileExpr::getLhs() const {
  assert(node->lhs && "a leaf has no operands");
  return TileExpr(node->lhs);
}

TileExpr TileExpr::getRhs() const {
  assert(node->rhs && "no second operand");
  return TileExpr(node->rhs);
}

std::optional<int64_t> TileExpr::asConstant() const {
  if (node->kind != Kind::Constant)
    return std::nullopt;
  return node->value;
}

bool TileExpr::dependsOnQueryTile() const {
  return getKind() == Kind::QueryTile ||
         (node->lhs && getLhs().dependsOnQueryTile()) ||
         (node->rhs && getRhs().dependsOnQueryTile());
}

/// The place of a kind among the operands of a sum, a minimum or a maximum.
/// nk stands before nq because `nk - nq` is the usual pair.
static int rankOf(Kind kind) {
  switch (kind) {
  case Kind::Constant:
    return 0;
  case Kind::QueryTile:
    return 1;
  case Kind::NumKeys:
    return 2;
  case Kind::NumQueries:
    return 3;
  case Kind::Mul:
    return 4;
  case Kind::Add:
    return 5;
  case Kind::FloorDiv:
    return 6;
  case Kind::Min:
    return 7;
  case Kind::Max:
    return 8;
  }
  llvm_unreachable("all kinds handled");
}

int TileExpr::compare(const TileExpr &a, const TileExpr &b) {
  if (a.node == b.node)
    return 0;
  if (a.getKind() != b.getKind())
    return rankOf(a.getKind()) < rankOf(b.getKind()) ? -1 : 1;
  if (a.node->lhs) {
    if (int order = compare(a.getLhs(), b.getLhs()))
      return order;
  }
  if (a.node->rhs) {
    if (int order = compare(a.getRhs(), b.getRhs()))
      return order;
  }
  if (a.node->value == b.node->value)
    return 0;
  return a.node->value < b.node->value ? -1 : 1;
}

llvm::hash_code plan::hash_value(const TileExpr &expr) {
  const TileExpr::Node &node = *expr.node;
  llvm::hash_code code = llvm::hash_combine(node.kind, node.value);
  if (node.lhs)
    code = llvm::hash_combine(code, hash_value(expr.getLhs()));
  if (node.rhs)
    code = llvm::hash_combine(code, hash_value(expr.getRhs()));
  return code;
}

//===----------------------------------------------------------------------===//
// Factories
//===----------------------------------------------------------------------===//

TileExpr TileExpr::operator+(TileExpr other) const {
  LinearForm sum(*this);
  sum.add(other, 1);
  return sum.toExpr();
}

TileExpr TileExpr::operator-(TileExpr other) const {
  return difference(*this, other).toExpr();
}

TileExpr TileExpr::operator*(int64_t factor) const {
  LinearForm product;
  product.add(*this, factor);
  return product.toExpr();
}

/// min or max of `operands` in canonical form.
static TileExpr makeExtremum(Kind kind, const TileExpr &a, const TileExpr &b) {
  // The operands of `a` are free of redundancy already.
  llvm::SmallVector<TileExpr> kept, added;
  flatten(kind, a, kept);
  flatten(kind, b, added);
  bool isMin = kind == Kind::Min;
  for (const TileExpr &operand : added) {
    // One of two operands with a constant difference is never needed.
    bool isRedundant = false;
    for (TileExpr &other : kept) {
      LinearForm gap = difference(operand, other);
      if (!gap.isConstant())
        continue;
      if ((gap.getConstant() < 0) == isMin && gap.getConstant() != 0)
        other = operand;
      isRedundant = true;
      break;
    }
    if (!isRedundant)
      kept.push_back(operand);
  }
  // min(x, max(x, y)) = x and dually.
  Kind dual = isMin ? Kind::Max : Kind::Min;
  for (unsigned k = 0; k < kept.size();) {
    bool isAbsorbed = false;
    if (kept[k].getKind() == dual) {
      llvm::SmallVector<TileExpr> inner;
      flatten(dual, kept[k], inner);
      for (unsigned other = 0; other < kept.size() && !isAbsorbed; ++other)
        isAbsorbed = other != k && llvm::is_contained(inner, kept[other]);
    }
    if (isAbsorbed)
      kept.erase(kept.begin() + k);
    else
      ++k;
  }
  llvm::sort(kept, [](const TileExpr &x, const TileExpr &y) {
    return TileExpr::compare(x, y) < 0;
  });
  TileExpr result = kept.front();
  for (const TileExpr &operand : llvm::drop_begin(kept))
    result = LinearForm::makeNode(kind, result, operand);
  return result;
}

TileExpr TileExpr::min(TileExpr a, TileExpr b) {
  return makeExtremum(Kind::Min, a, b);
}

TileExpr TileExpr::max(TileExpr a, TileExpr b) {
  return makeExtremum(Kind::Max, a, b);
}

TileExpr TileExpr::floorDiv(int64_t divisor) const {
  assert(divisor > 0 && "division by a positive constant only");
  if (divisor == 1)
    return *this;
  // Floor division is monotone.
  if (getKind() == Kind::Min)
    return min(getLhs().floorDiv(divisor), getRhs().floorDiv(divisor));
  if (getKind() == Kind::Max)
    return max(getLhs().floorDiv(divisor), getRhs().floorDiv(divisor));

  LinearForm form(*this);
  if (form.isConstant())
    return constant(floorDivide(form.getConstant(), divisor));
  // floor((g x + c) / (g d)) = floor((x + floor(c / g)) / d).
  int64_t common = divisor;
  for (const LinearForm::Term &term : form.getTerms())
    common = std::gcd(common, term.second);
  if (common > 1) {
    LinearForm reduced;
    for (const auto &[atom, factor] : form.getTerms())
      reduced.addTerm(atom, factor / common);
    reduced.addConstant(floorDivide(form.getConstant(), common));
    return reduced.toExpr().floorDiv(divisor / common);
  }
  // floor((floor(x / a) + c) / d) = floor((x + a c) / (a d)).
  if (form.getTerms().size() == 1 && form.getTerms()[0].second == 1) {
    TileExpr atom = form.getTerms()[0].first;
    int64_t product = 0, shift = 0;
    if (atom.getKind() == Kind::FloorDiv &&
        !llvm::MulOverflow(atom.getConstant(), divisor, product) &&
        !llvm::MulOverflow(atom.getConstant(), form.getConstant(), shift))
      return (atom.getLhs() + shift).floorDiv(product);
  }
  return LinearForm::makeNode(Kind::FloorDiv, divisor, *this);
}

TileExpr TileExpr::ceilDiv(int64_t divisor) const {
  return (*this + (divisor - 1)).floorDiv(divisor);
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

int64_t TileExpr::evaluate(int64_t q, const Lengths &n) const {
  auto lhs = [&] { return getLhs().evaluate(q, n); };
  auto rhs = [&] { return getRhs().evaluate(q, n); };
  switch (getKind()) {
  case Kind::Constant:
    return node->value;
  case Kind::QueryTile:
    return q;
  case Kind::NumQueries:
    return n.nq;
  case Kind::NumKeys:
    return n.nk;
  case Kind::Add:
    return wrapAdd(lhs(), rhs());
  case Kind::Mul:
    return wrapMul(lhs(), node->value);
  case Kind::FloorDiv:
    return floorDivide(lhs(), node->value);
  case Kind::Min:
    return std::min(lhs(), rhs());
  case Kind::Max:
    return std::max(lhs(), rhs());
  }
  llvm_unreachable("all kinds handled");
}
