//===- WitnessOracle.h - Witnesses checked by definition --------*- C++ -*-===//

#ifndef SPARSEATTN_TEST_UNIT_PROOF_WITNESSORACLE_H
#define SPARSEATTN_TEST_UNIT_PROOF_WITNESSORACLE_H

#include "../Plan/PlanOracle.h"
#include "SparseAttn/Proof/Certificate.h"

namespace mlir::sparse_attn::plan_test {

using namespace proof;

/// True when the pair of the witness shows what the proof claims.
bool isTrueWitness(const Mask &mask, const Plan &plan, const Proof &proof);

} // namespace mlir::sparse_attn::plan_test

#endif // SPARSEATTN_TEST_UNIT_PROOF_WITNESSORACLE_H
