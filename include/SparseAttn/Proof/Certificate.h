//===- Certificate.h - Proof that a plan covers its mask --------*- C++ -*-===//
//
// For every row r, with the class that owns it and its query tile:
//   coverage  each live pair (i, j) lies in a visited tile,
//   once      no key tile is visited twice (segments are pairwise disjoint);
//             where tiles have layouts and stand across others, no pair is
//             computed in two of them,
//   full      a tile called full has no masked pair and no key past Sk,
//   where     the pairs that a segment names in its tiles are the live ones,
//   range     visited tiles hold at least one key of [0, Sk), the rows of a
//             class lie in [0, Sq), and its slots, where they stand in a
//             layout, are slots of it.
// The proof shares no code with the planner: it starts from the mask's own
// pieces, in Presburger arithmetic at any lengths, or row by row with exact
// interval sets where both lengths are known. Random blocks are proven to lie
// where the plan draws them; other masks without closed form need known lengths
// unless no assumption on them can break the plan.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PROOF_CERTIFICATE_H
#define SPARSEATTN_PROOF_CERTIFICATE_H

#include "SparseAttn/Plan/Plan.h"
#include <optional>
#include <string>

namespace mlir::sparse_attn::proof {

enum class Verdict { Proven, Refuted, Unsupported };

/// A pair that shows a plan wrong: the query position i and key position j of
/// head `head`, at lengths `n`.
struct Witness {
  mask::Lengths n;
  int64_t head = 0, i = 0, j = 0;
};

struct Proof {
  Verdict verdict = Verdict::Unsupported;
  /// Why: the violated invariant, or what is not supported. One sentence.
  std::string reason;
  /// How: "presburger" or "exhaustive rows".
  std::string method;
  std::optional<Witness> witness;
};

/// Proves or refutes `plan` for `mask`. Unknown lengths in `facts` are
/// universally quantified over 1 <= nq, nk <= 2^30, of which those that `plan`
/// does not hold for are left out. `numHeads` bounds the heads
/// tried for masks that differ by head.
Proof provePlan(const mask::Mask &mask, const plan::Plan &plan,
                const plan::LengthFacts &facts, int64_t numHeads);

} // namespace mlir::sparse_attn::proof

#endif // SPARSEATTN_PROOF_CERTIFICATE_H
