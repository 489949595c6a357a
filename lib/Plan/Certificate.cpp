//===- Certificate.cpp - Choice of a proof route --------------------------===//

#include "SparseAttn/Plan/Certificate.h"
#include "Proofs.h"

using namespace mlir::sparse_attn;

/// Up to here rows are tried first: they give the plainest witnesses. Up to
/// the limit they are tried where formulas fail.
static constexpr double cheapSteps = 2e7, maxSteps = 5e8;

Proof mlir::sparse_attn::provePlan(const Mask &mask, const Plan &plan,
                                   const LengthFacts &facts, int64_t numHeads) {
  Proof invalid;
  if (plan.tile.queries <= 0 || plan.tile.keys <= 0) {
    invalid.reason = "tile sizes must be positive";
    return invalid;
  }
  if (!facts.nq || !facts.nk)
    return proveByPresburger(mask, plan, facts, numHeads);

  Lengths n = {*facts.nq, *facts.nk};
  if (n.nq < 1 || n.nk < 1) {
    invalid.reason = "lengths must be at least 1";
    return invalid;
  }
  double steps = exhaustiveCost(mask, plan, n, numHeads);
  if (steps <= cheapSteps)
    return proveByRows(mask, plan, n, numHeads);
  Proof proof = proveByPresburger(mask, plan, facts, numHeads);
  if (proof.verdict == Verdict::Unsupported && steps <= maxSteps)
    return proveByRows(mask, plan, n, numHeads);
  return proof;
}
