//===- Proofs.h - Routes to a certificate -----------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PROOF_PROOFS_H
#define SPARSEATTN_LIB_PROOF_PROOFS_H

#include "SparseAttn/Proof/Certificate.h"

namespace mlir::sparse_attn::proof {

/// Reasons are the same on both routes.
namespace reasons {
inline constexpr const char *coverage = "a live pair lies in no visited tile";
inline constexpr const char *once = "a key tile is visited twice";
inline constexpr const char *pairOnce =
    "a pair is computed twice, in tiles of two layouts";
inline constexpr const char *partOnce = "a pair belongs to two parts";
inline constexpr const char *partMasked =
    "a part has a pair that the mask does not allow";
inline constexpr const char *partMissed = "a live pair belongs to no part";
inline constexpr const char *partRows =
    "the first class of a part leaves out some rows";
inline constexpr const char *fullMasked = "a full tile has a masked pair";
inline constexpr const char *fullPastEnd = "a full tile has keys past Sk";
inline constexpr const char *where =
    "the pairs that a segment names in its tiles are not the live ones";
inline constexpr const char *range = "a visited tile lies outside [0, Sk)";
inline constexpr const char *rows = "a row class has rows outside [0, Sq)";
inline constexpr const char *slots =
    "a row class has slots that its layout does not have";
} // namespace reasons

/// Whether one of `pieces`, which have no opaque literals, has the pair.
bool holds(const mask::Pieces &pieces, const mask::Lengths &n, int64_t i,
           int64_t j);

/// Steps of a proof row by row at lengths `n`, roughly nanoseconds times ten.
double exhaustiveCost(const mask::Mask &mask, const plan::Plan &plan,
                      const mask::Lengths &n, int64_t numHeads);

Proof proveByRows(const mask::Mask &mask, const plan::Plan &plan,
                  const mask::Lengths &n, int64_t numHeads);

Proof proveByPresburger(const mask::Mask &mask, const plan::Plan &plan,
                        const plan::LengthFacts &facts, int64_t numHeads);

/// Proves a plan of parts: each part for its own pairs, and that each pair of
/// the mask belongs to one part.
Proof proveParts(const mask::Mask &mask, const plan::Plan &plan,
                 const plan::LengthFacts &facts, int64_t numHeads);

/// Whether each pair of the mask belongs to one part: row by row at known
/// lengths.
Proof checkPartsByRows(const mask::Mask &mask, const plan::Plan &plan,
                       const mask::Lengths &n, int64_t numHeads);
/// The same at all lengths that `facts` leave.
Proof checkPartsByPresburger(const mask::Mask &mask, const plan::Plan &plan,
                             const plan::LengthFacts &facts, int64_t numHeads);

/// The number of keys that stand at `residue` modulo `step`, below `step`.
inline int64_t countResidue(int64_t nk, int64_t step, int64_t residue) {
  return nk > residue ? (nk - residue + step - 1) / step : 0;
}

} // namespace mlir::sparse_attn::proof

#endif // SPARSEATTN_LIB_PROOF_PROOFS_H
