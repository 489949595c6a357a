//===- LengthFacts.cpp - What is known of lengths -------------------------===//

#include "LinearForm.h"
#include "Planner.h"
#include <numeric>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

Lengths plan::sampleLengths(const LengthFacts &facts) {
  int64_t nk = facts.nk.value_or(std::max(facts.nq.value_or(0), kSampleLength));
  return {facts.nq.value_or(nk), nk};
}

bool LengthAssumption::holds(const Lengths &n) const {
  int64_t offset = n.nk - n.nq;
  bool isOffset =
      offsetMultiple == 0 ? offset == 0 : offset % offsetMultiple == 0;
  return isOffset && n.nk % keysMultiple == 0;
}

std::string LengthAssumption::str() const {
  std::string text;
  if (offsetMultiple == 0)
    text = "nk = nq";
  else if (offsetMultiple != 1)
    text = "nk - nq a multiple of " + std::to_string(offsetMultiple);
  if (keysMultiple != 1)
    text += (text.empty() ? "" : ", ") + std::string("nk a multiple of ") +
            std::to_string(keysMultiple);
  return text.empty() ? "any lengths" : text;
}

LengthFacts LengthFacts::assuming(const LengthAssumption &assumption) const {
  LengthFacts facts = *this;
  facts.assumed = assumption;
  if (facts.areEqual()) {
    if (!facts.nq)
      facts.nq = facts.nk;
    if (!facts.nk)
      facts.nk = facts.nq;
  }
  return facts;
}

bool plan::isMultiple(const LinearForm &form, int64_t divisor,
                      const LengthFacts &facts) {
  // So that products of remainders fit.
  if (divisor >= int64_t(1) << 31 || form.getConstant() % divisor != 0)
    return false;
  int64_t nq = 0, nk = 0;
  for (const auto &[atom, factor] : form.getTerms()) {
    if (atom.getKind() == TileExpr::Kind::NumQueries)
      nq = factor % divisor;
    else if (atom.getKind() == TileExpr::Kind::NumKeys)
      nk = factor % divisor;
    else if (factor % divisor != 0)
      return false;
  }
  // nq x + nk y = (x + y) nk - x (nk - nq).
  int64_t keys = facts.nk.value_or(facts.assumed.keysMultiple) % divisor;
  int64_t offset = facts.assumed.offsetMultiple % divisor;
  return (nq + nk) % divisor * keys % divisor == 0 &&
         nq * offset % divisor == 0;
}

bool TileExpr::isProvablyMultiple(int64_t divisor,
                                  const LengthFacts &facts) const {
  return isMultiple(LinearForm(simplify(facts)), divisor, facts);
}
