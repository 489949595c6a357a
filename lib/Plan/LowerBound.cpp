//===- LowerBound.cpp - Bounds that are certain ---------------------------===//
//
// One function proves everything: a certain lower bound of a linear form over
// atoms. a <= b is lowerBound(b - a) >= 0. Minimum and maximum are split into
// cases, a floor division lies between two linear forms, and what is left is
// linear in q, nq and nk, where the facts are few enough to solve by hand.
//
//===----------------------------------------------------------------------===//

#include "LinearForm.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

using Kind = TileExpr::Kind;

namespace {
/// Searches for lower bounds, with a limit on the number of cases.
class BoundProver {
public:
  explicit BoundProver(const LengthFacts &facts) : facts(facts) {}

  std::optional<int64_t> lowerBound(const LinearForm &form);

private:
  std::optional<int64_t> splitExtremum(const LinearForm &form, unsigned index);
  std::optional<int64_t> pairFloorDivs(const LinearForm &form);
  std::optional<int64_t> relaxFloorDiv(const LinearForm &form, unsigned index);
  std::optional<int64_t> boundFloorDiv(const LinearForm &form, unsigned index);
  std::optional<int64_t> minimizeLinear(const LinearForm &form) const;

  const LengthFacts &facts;
  int budget = 400;
};
} // namespace

/// `form` with term `index` replaced by its factor times `operand`.
static LinearForm replaceTerm(const LinearForm &form, unsigned index,
                              const TileExpr &operand) {
  LinearForm result = form;
  int64_t factor = form.getTerms()[index].second;
  result.removeTerm(index);
  result.add(operand, factor);
  return result;
}

static std::optional<int64_t> best(std::optional<int64_t> a,
                                   std::optional<int64_t> b) {
  if (!a || !b)
    return a ? a : b;
  return std::max(*a, *b);
}

/// True when all numbers are small enough for sums and products with other
/// such numbers not to overflow.
static bool isTame(const LinearForm &form) {
  constexpr int64_t limit = int64_t(1) << 56;
  auto isSmall = [](int64_t x) { return -limit < x && x < limit; };
  return isSmall(form.getConstant()) &&
         llvm::all_of(form.getTerms(), [&](const LinearForm::Term &term) {
           return isSmall(term.second);
         });
}

std::optional<int64_t> BoundProver::lowerBound(const LinearForm &form) {
  if (--budget < 0 || !isTame(form))
    return std::nullopt;
  // Cases that all have to hold come before cases of which one suffices, since
  // the choice may then depend on the case.
  std::optional<unsigned> anyCase, floorDiv;
  for (auto [index, term] : llvm::enumerate(form.getTerms())) {
    Kind kind = term.first.getKind();
    if (kind == Kind::Min || kind == Kind::Max) {
      if ((kind == Kind::Min) == (term.second > 0))
        return splitExtremum(form, index);
      anyCase = index;
    }
    if (kind == Kind::FloorDiv)
      floorDiv = index;
  }
  if (anyCase)
    return splitExtremum(form, *anyCase);
  if (floorDiv)
    return best(pairFloorDivs(form), best(relaxFloorDiv(form, *floorDiv),
                                          boundFloorDiv(form, *floorDiv)));
  return minimizeLinear(form);
}

std::optional<int64_t> BoundProver::splitExtremum(const LinearForm &form,
                                                  unsigned index) {
  const auto &[atom, factor] = form.getTerms()[index];
  std::optional<int64_t> lhs =
      lowerBound(replaceTerm(form, index, atom.getLhs()));
  bool needsBoth = (atom.getKind() == Kind::Min) == (factor > 0);
  if (needsBoth && !lhs)
    return std::nullopt;
  std::optional<int64_t> rhs =
      lowerBound(replaceTerm(form, index, atom.getRhs()));
  if (!needsBoth)
    return best(lhs, rhs);
  if (!rhs)
    return std::nullopt;
  return std::min(*lhs, *rhs);
}

std::optional<int64_t> BoundProver::pairFloorDivs(const LinearForm &form) {
  // floor(y / d) - floor(x / d) >= floor((y - x) / d): much sharper than
  // bounding each by itself.
  std::optional<int64_t> result;
  auto terms = form.getTerms();
  for (unsigned plus = 0; plus < terms.size(); ++plus) {
    if (terms[plus].first.getKind() != Kind::FloorDiv || terms[plus].second < 0)
      continue;
    for (unsigned minus = 0; minus < terms.size(); ++minus) {
      if (terms[minus].first.getKind() != Kind::FloorDiv ||
          terms[minus].second > 0 ||
          terms[minus].first.getConstant() != terms[plus].first.getConstant())
        continue;
      std::optional<int64_t> gap = lowerBound(
          difference(terms[plus].first.getLhs(), terms[minus].first.getLhs()));
      if (!gap)
        continue;
      int64_t times = std::min(terms[plus].second, -terms[minus].second);
      int64_t steps = floorDivide(*gap, terms[plus].first.getConstant());
      int64_t product;
      if (llvm::MulOverflow(times, steps, product))
        continue;
      LinearForm rest = form;
      rest.addTerm(terms[plus].first, -times);
      rest.addTerm(terms[minus].first, times);
      rest.addConstant(product);
      result = best(result, lowerBound(rest));
    }
  }
  return result;
}

std::optional<int64_t> BoundProver::relaxFloorDiv(const LinearForm &form,
                                                  unsigned index) {
  // x - d + 1 <= d * floor(x / d) <= x, and x where d divides it. The form is
  // an integer, so a lower bound of d times it is divided rounding up.
  const auto &[atom, factor] = form.getTerms()[index];
  int64_t divisor = atom.getConstant();
  if (divisor >= (int64_t(1) << 31))
    return std::nullopt;
  LinearForm rest = form;
  rest.removeTerm(index);
  if (!isTame(rest))
    return std::nullopt;
  LinearForm scaled;
  for (const auto &[restAtom, restFactor] : rest.getTerms()) {
    int64_t product;
    if (llvm::MulOverflow(restFactor, divisor, product))
      return std::nullopt;
    scaled.addTerm(restAtom, product);
  }
  int64_t constant;
  if (llvm::MulOverflow(rest.getConstant(), divisor, constant))
    return std::nullopt;
  scaled.addConstant(constant);
  LinearForm dividend(atom.getLhs());
  int64_t slack;
  if (!isTame(dividend) || !isTame(scaled) ||
      llvm::MulOverflow(factor, divisor, slack) || factor >= (1 << 30) ||
      factor <= -(1 << 30))
    return std::nullopt;
  for (const LinearForm::Term &term : dividend.getTerms()) {
    if (llvm::MulOverflow(term.second, factor, constant))
      return std::nullopt;
  }
  if (llvm::MulOverflow(dividend.getConstant(), factor, constant))
    return std::nullopt;
  scaled.add(dividend, factor);
  if (factor > 0 && !isMultiple(LinearForm(atom.getLhs()), divisor, facts))
    scaled.addConstant(-factor * (divisor - 1));
  std::optional<int64_t> bound = lowerBound(scaled);
  if (!bound)
    return std::nullopt;
  return -floorDivide(-*bound, divisor);
}

std::optional<int64_t> BoundProver::boundFloorDiv(const LinearForm &form,
                                                  unsigned index) {
  // The quotient alone: exact rounding where its dividend has a known bound.
  const auto &[atom, factor] = form.getTerms()[index];
  LinearForm dividend;
  dividend.add(atom.getLhs(), factor > 0 ? 1 : -1);
  std::optional<int64_t> bound = lowerBound(dividend);
  if (!bound)
    return std::nullopt;
  int64_t quotient =
      floorDivide(factor > 0 ? *bound : -*bound, atom.getConstant());
  LinearForm rest = form;
  int64_t product;
  rest.removeTerm(index);
  if (llvm::MulOverflow(factor, quotient, product) || !isTame(rest))
    return std::nullopt;
  rest.addConstant(product);
  return lowerBound(rest);
}

std::optional<int64_t>
BoundProver::minimizeLinear(const LinearForm &form) const {
  int64_t q = 0, nq = 0, nk = 0;
  for (const auto &[atom, factor] : form.getTerms()) {
    if (atom.getKind() == Kind::QueryTile)
      q = factor;
    else if (atom.getKind() == Kind::NumQueries)
      nq = factor;
    else
      nk = factor;
  }
  if (facts.areEqual() && !facts.nk) {
    if (llvm::AddOverflow(nq, nk, nq))
      return std::nullopt;
    nk = 0;
  }
  int64_t value = form.getConstant();
  bool overflow = false;
  auto accumulate = [&](int64_t factor, int64_t amount) {
    int64_t product = 0;
    overflow |= llvm::MulOverflow(factor, amount, product);
    overflow |= llvm::AddOverflow(value, product, value);
  };

  // Keys: nk >= 1, or what it is a multiple of, no upper bound unless known.
  if (nk < 0 && !facts.nk)
    return std::nullopt;
  accumulate(nk, facts.nk.value_or(facts.assumed.keysMultiple));

  // Queries: nq >= 1 and nq >= q * B + 1, and when a form falls with nq there
  // is no bound unless nq is known. Where g divides nq, it is at least g, and
  // q * B + g where it divides B.
  std::optional<int64_t> last = facts.lastTile;
  if (facts.nq) {
    accumulate(nq, *facts.nq);
    if (facts.rowsPerTile) {
      int64_t tiles = std::max<int64_t>(0, *facts.nq - 1) / *facts.rowsPerTile;
      last = last ? std::min(*last, tiles) : tiles;
    }
  } else {
    if (nq < 0)
      return std::nullopt;
    int64_t least = std::gcd(facts.assumed.offsetMultiple,
                             facts.nk.value_or(facts.assumed.keysMultiple));
    if (facts.rowsPerTile && *facts.rowsPerTile % least != 0)
      least = 1;
    accumulate(nq, least);
    if (facts.rowsPerTile) {
      int64_t product = 0;
      overflow |= llvm::MulOverflow(nq, *facts.rowsPerTile, product);
      overflow |= llvm::AddOverflow(q, product, q);
    }
  }
  if (q < 0) {
    if (!last)
      return std::nullopt;
    accumulate(q, std::max<int64_t>(0, *last));
  }
  return overflow ? std::nullopt : std::optional<int64_t>(value);
}

std::optional<int64_t> plan::lowerBound(const LinearForm &form,
                                        const LengthFacts &facts) {
  return BoundProver(facts).lowerBound(form);
}
