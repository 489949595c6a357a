//===- PlanProof.h - Proofs of the plans of ops -----------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_PLANPROOF_H
#define SPARSEATTN_LIB_TRANSFORMS_PLANPROOF_H

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Proof/Certificate.h"

namespace mlir::sparse_attn::transforms {

/// Proves or refutes the plan that `op` has.
proof::Proof provePlan(MaskedReductionOpInterface op);

/// The error that a refuted plan is, at the op, with the pair that shows it.
InFlightDiagnostic reportRefuted(MaskedReductionOpInterface op,
                                 const proof::Proof &proof);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_PLANPROOF_H
