//===- Reach.h - How far information travels in L layers --------*- C++ -*-===//
//
// One layer lets position i see its live keys, and by the residual connection
// itself:
//
//   R_0(i) = {i},   R_L(i) = R_{L-1}(i) + union of R_{L-1}(k), k live for i
//
// A sparse model whose R_L never fills up cannot relate some tokens however
// deep it is. A layer's heads feed one another, so a key counts when any head
// sees it.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_INSPECT_REACH_H
#define SPARSEATTN_INSPECT_REACH_H

#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <vector>

namespace mlir::sparse_attn::inspection {

/// What any number of layers attains.
enum class ReachKind {
  Full,   ///< every position reaches every key
  Causal, ///< no key after itself, and every key up to itself
  Never,  ///< something less than that of the two which applies
};

llvm::StringRef toString(ReachKind kind);

struct Reach {
  ReachKind kind = ReachKind::Never;
  /// The smallest L with every R_L complete; nullopt for Never.
  std::optional<int64_t> layers;
  /// Whether a position sees a later one in any layer.
  bool looksAhead = false;
  /// Element L: the part of all pairs (of those with j <= i, for a mask that
  /// never looks ahead) that R_L holds. The last element is the limit.
  std::vector<double> fractions;
  /// Positions a unit of the analysis. Above 1 the sequence was too long for
  /// single positions and a block counts as reached when any pair of it is:
  /// `layers` is then a lower bound, `fractions` are upper bounds, Never is
  /// certain.
  int64_t granularity = 1;

  bool isExact() const { return granularity == 1; }
  double fractionAfter(int64_t layers) const;
};

/// Reach of `mask` applied to itself, at Sq = Sk = `n` >= 1, seen by heads
/// 0 .. `numHeads` - 1. At most `maxUnits` positions are told apart; time grows
/// with its cube / 64.
Reach computeReach(const mask::Mask &mask, int64_t n, int64_t numHeads,
                   int64_t maxUnits = 4096);

} // namespace mlir::sparse_attn::inspection

#endif // SPARSEATTN_INSPECT_REACH_H
