//===- RowProof.h - Proof row by row ----------------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PROOF_ROWPROOF_H
#define SPARSEATTN_LIB_PROOF_ROWPROOF_H

#include "Proofs.h"
#include <vector>

namespace mlir::sparse_attn::proof {

/// The keys of `keys`, some of which may not exist, that a row of `pieces` has.
mask::IntervalSet keysOfRow(const mask::Pieces &pieces, const mask::Lengths &n,
                            int64_t i, mask::Range keys);

/// A key tile range with the claim made for it.
struct Claim {
  mask::Range tiles;
  bool full = false;
  const mask::Pieces *where = nullptr;
};

/// What tiles that may stand across others compute in a row.
struct Share {
  /// Where their slots stand, keys past the end included.
  mask::IntervalSet keys;
  bool full = false;
  const mask::Pieces *where = nullptr;
};

/// Proves the plan of one head.
class RowProof {
public:
  RowProof(const mask::Mask &mask, const plan::Plan &plan,
           const mask::Lengths &n, int64_t head);

  /// The first violation, or nullopt.
  std::optional<Proof> run();

private:
  std::optional<Proof> checkTile(unsigned classIndex, int64_t q);
  /// The same for a class with a table.
  std::optional<Proof> checkTableTile(unsigned classIndex, int64_t q) const;
  std::optional<Proof> checkClaims(llvm::SmallVectorImpl<Claim> &claims,
                                   int64_t row) const;
  std::optional<Proof> checkRow(int64_t row, const mask::IntervalSet &visited,
                                llvm::ArrayRef<Claim> claims) const;
  /// The same for a class with layouts, where a key may be in several tiles.
  std::optional<Proof> checkShares(int64_t row,
                                   llvm::ArrayRef<Share> shares) const;
  /// Adds the tiles of layouts for a query tile whose first row is `row`.
  std::optional<Proof> addLayouts(const plan::RowClass &cls, int64_t q,
                                  int64_t row,
                                  std::vector<Share> &shares) const;
  /// Adds the keys of drawn tiles, and a claim for those that a full draw adds
  /// to `claims`, which are those of the segments.
  std::optional<Proof> addDrawn(const plan::RowClass &cls, int64_t q,
                                mask::Range rows,
                                llvm::SmallVectorImpl<mask::Range> &keys,
                                llvm::SmallVectorImpl<Claim> &claims) const;
  /// The slots of each class that are rows, as far as it has them.
  std::optional<Proof> setSlots();
  /// The rows of a class.
  mask::IntervalSet rowsOf(unsigned classIndex) const;
  bool hasRow(unsigned classIndex, int64_t row) const;
  /// True when the class is the last one that contains the row.
  bool owns(unsigned classIndex, int64_t row) const;
  Proof refute(const char *reason, int64_t row, int64_t j) const;

  const mask::Mask &mask;
  const plan::Plan &plan;
  mask::Lengths n;
  int64_t head;
  llvm::SmallVector<mask::Range> classSlots;
};

} // namespace mlir::sparse_attn::proof

#endif // SPARSEATTN_LIB_PROOF_ROWPROOF_H
