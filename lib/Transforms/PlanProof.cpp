//===- PlanProof.cpp - Proofs of the plans of ops -------------------------===//

#include "PlanProof.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::proof;

/// Heads to try when the head count is dynamic and the mask differs by head.
constexpr int64_t kDefaultHeads = 8;

Proof transforms::provePlan(MaskedReductionOpInterface op) {
  ShapedType query = op.getQueryType();
  int64_t heads = query.isDynamicDim(1) ? kDefaultHeads : query.getDimSize(1);
  return proof::provePlan(op.getMaskValue(), op.getPlan()->getPlan(),
                          op.getLengthFacts(), heads);
}

InFlightDiagnostic transforms::reportRefuted(MaskedReductionOpInterface op,
                                             const Proof &proof) {
  InFlightDiagnostic diagnostic =
      op->emitOpError("plan does not cover its mask: ");
  diagnostic << proof.reason;
  if (const std::optional<Witness> &w = proof.witness)
    diagnostic.attachNote()
        << "witness: head " << w->head << ", query position " << w->i
        << ", key position " << w->j << " at Sq = " << w->n.nq
        << ", Sk = " << w->n.nk;
  return diagnostic;
}
