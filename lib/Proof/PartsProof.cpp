//===- PartsProof.cpp - Proof of a plan of parts --------------------------===//
//
// A part is a plan for the pairs that it names, and a folded one is such a plan
// at the lengths of each residue, which differ by one at most. So the proofs of
// whole plans prove parts; what is left is that the pairs of all parts are
// those of the mask, each once (PartPairs.cpp).
//
//===----------------------------------------------------------------------===//

#include "Proofs.h"
#include "llvm/ADT/STLExtras.h"
#include <set>

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

/// Up to here rows are looked at one by one.
static constexpr double maxRowSteps = 2e8;

namespace {
/// Lengths of a residue, as far as they are known.
struct FoldedLengths {
  std::optional<int64_t> nq, nk;
  bool operator<(const FoldedLengths &other) const {
    return std::pair(nq, nk) < std::pair(other.nq, other.nk);
  }
};
} // namespace

/// All lengths that residues have which have a query and a key. Where one of
/// both is not known, each value of it occurs with each of the other.
static std::set<FoldedLengths> lengthsOfResidues(const LengthFacts &facts,
                                                 int64_t step) {
  std::set<FoldedLengths> lengths;
  if (!facts.nq && !facts.nk)
    return {{}};
  if (facts.nq && facts.nk) {
    // Whatever the row, the residues of a few of them have all lengths.
    Lengths n = {*facts.nq, *facts.nk};
    for (int64_t row = 0; row < std::min(step, n.nq); ++row) {
      int64_t position = row + n.firstQuery();
      int64_t residue = (position % step + step) % step;
      int64_t rows = (n.nq - row + step - 1) / step;
      if (int64_t keys = countResidue(n.nk, step, residue); keys > 0)
        lengths.insert({rows, keys});
    }
    return lengths;
  }
  int64_t known = facts.nq.value_or(facts.nk.value_or(0));
  for (int64_t length : {known / step, (known + step - 1) / step})
    if (length > 0)
      lengths.insert(facts.nq ? FoldedLengths{length, std::nullopt}
                              : FoldedLengths{std::nullopt, length});
  return lengths;
}

/// A pair of a residue as one of the sequence: at multiples of the step where
/// lengths are not known, else where the residue has these lengths.
static std::optional<Witness> unfold(const Witness &folded, int64_t step,
                                     const LengthFacts &facts,
                                     const LengthAssumption &assumed) {
  int64_t offset = (folded.n.nk - folded.n.nq) * step, residue = 0;
  Lengths n = {folded.n.nq * step, folded.n.nk * step};
  auto fits = [&] {
    int64_t rows = 0, first = n.firstQuery();
    for (int64_t row = 0; row < std::min(step, n.nq); ++row)
      if (((row + first) % step + step) % step == residue)
        rows = (n.nq - row + step - 1) / step;
    return rows == folded.n.nq &&
           countResidue(n.nk, step, residue) == folded.n.nk && assumed.holds(n);
  };
  for (; residue < step; ++residue) {
    if (facts.nq && facts.nk)
      n = {*facts.nq, *facts.nk};
    else if (facts.nk)
      n = {*facts.nk - residue - offset, *facts.nk};
    else if (facts.nq)
      n = {*facts.nq, *facts.nq + offset};
    if (fits())
      return Witness{n, folded.head, residue + folded.i * step,
                     residue + folded.j * step};
  }
  return std::nullopt;
}

/// The first class of a folded part, and of each of several, has all rows: else
/// their states, or what others have of them, would be missing.
static bool hasAllRows(const RowClass &cls, const LengthFacts &facts) {
  return cls.rowEnd == TileExpr::numQueries() ||
         (facts.nq && cls.rowEnd.asConstant() == facts.nq);
}

static Proof provePart(const Part &part, const LengthFacts &facts,
                       const LengthAssumption &assumed, bool isOneOfMany) {
  Mask own = Mask::ofPieces(part.pairs);
  Plan plan = planOf(part, facts);
  if (part.step == 1) {
    Proof proof = provePlan(own, plan, facts, /*numHeads=*/1);
    if (isOneOfMany && proof.verdict == Verdict::Proven &&
        !hasAllRows(part.classes.front(), facts))
      return {Verdict::Unsupported, reasons::partRows, proof.method, {}};
    return proof;
  }
  Proof result = {Verdict::Proven, {}, {}, {}};
  for (const FoldedLengths &lengths : lengthsOfResidues(facts, part.step)) {
    LengthFacts folded;
    folded.nq = lengths.nq;
    folded.nk = lengths.nk;
    Proof proof = provePlan(own, plan, folded, /*numHeads=*/1);
    if (proof.verdict == Verdict::Refuted) {
      proof.witness = unfold(*proof.witness, part.step, facts, assumed);
      if (!proof.witness)
        proof.verdict = Verdict::Unsupported;
    }
    if (proof.verdict != Verdict::Proven)
      return proof;
    if (!hasAllRows(part.classes.front(), folded.assuming(plan.assumed)))
      return {Verdict::Unsupported, reasons::partRows, proof.method, {}};
    result.method = proof.method;
  }
  return result;
}

/// About the numbers of intervals that are looked at.
static double costOfRows(const Mask &mask, const Plan &plan, const Lengths &n,
                         int64_t numHeads) {
  size_t most = 16;
  for (int64_t row : {int64_t(0), n.nq / 2, n.nq - 1})
    most = std::max(
        most,
        mask.liveKeys(n, 0, row + n.firstQuery(), {0, n.nk}).ranges().size());
  double heads = mask.isHeadInvariant() ? 1 : static_cast<double>(numHeads);
  return heads * 4.0 * static_cast<double>(most * n.nq) *
         static_cast<double>(plan.parts.size());
}

static Proof checkPairs(const Mask &mask, const Plan &plan,
                        const LengthFacts &facts, int64_t numHeads) {
  if (facts.nq && facts.nk) {
    Lengths n = {*facts.nq, *facts.nk};
    if (costOfRows(mask, plan, n, numHeads) <= maxRowSteps)
      return checkPartsByRows(mask, plan, n, numHeads);
  }
  return checkPartsByPresburger(mask, plan, facts, numHeads);
}

Proof proof::proveParts(const Mask &mask, const Plan &plan,
                        const LengthFacts &facts, int64_t numHeads) {
  Proof pairs = checkPairs(mask, plan, facts, numHeads);
  if (pairs.verdict != Verdict::Proven)
    return pairs;
  for (const Part &part : plan.parts) {
    Proof proof = provePart(part, facts, plan.assumed, plan.parts.size() > 1);
    if (proof.verdict != Verdict::Proven)
      return proof;
    if (proof.method == "presburger")
      pairs.method = proof.method;
  }
  pairs.reason = "each part was proven for its pairs, and each pair of the "
                 "mask belongs to one part";
  return pairs;
}
