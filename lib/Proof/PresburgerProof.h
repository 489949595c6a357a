//===- PresburgerProof.h - Proof at all lengths -----------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PROOF_PRESBURGERPROOF_H
#define SPARSEATTN_LIB_PROOF_PRESBURGERPROOF_H

#include "Proofs.h"
#include "Unknowns.h"

namespace mlir::sparse_attn::proof {

/// A solution of a question, as numbers.
struct Candidate {
  mask::Lengths n;
  int64_t q, row, keyTile, key;
};

class PresburgerProof {
public:
  PresburgerProof(const mask::Mask &mask, const plan::Plan &plan,
                  const plan::LengthFacts &facts, int64_t numHeads,
                  mask::Pieces pieces)
      : mask(mask), plan(plan), facts(facts), numHeads(numHeads),
        pieces(std::move(pieces)) {
    proof.method = "presburger";
  }

  Proof run();

  /// Asks for a solution of x.domain; `isTrue` tells whether a candidate is a
  /// violation for a head.
  void ask(Unknowns &x, const char *reason,
           llvm::function_ref<bool(const Candidate &, int64_t head)> isTrue);
  /// What all answers come to.
  Proof conclude();

private:
  void checkRowRange(const plan::RowClass &cls);
  void checkUnownedRows();
  void checkCoverage(unsigned classIndex);
  /// No contiguous tile is visited twice.
  void checkOnce(const plan::RowClass &cls);
  void checkRange(const plan::RowClass &cls, const plan::Segment &segment);
  void checkFull(unsigned classIndex, const plan::Segment &segment);
  void checkWhere(unsigned classIndex, const plan::Segment &segment);
  void checkFull(const plan::RowClass &cls, const plan::Draw &draw);

  /// The questions about a class with layouts, where a key may be in several
  /// tiles (PresburgerLayouts.cpp).
  void checkLayouts(unsigned classIndex);
  void checkLayoutRange(const plan::RowClass &cls,
                        const plan::Segment &segment);
  void checkPairOnce(unsigned classIndex, const plan::Segment &a,
                     const plan::Segment &b);
  void checkPairsLive(unsigned classIndex, const plan::Segment &segment);
  void checkPairsCovered(unsigned classIndex);
  /// A row of the class, its query tile, and a key.
  Unknowns pairOfClass(unsigned classIndex, bool keyExists) const;
  /// The segment computes the pair, or does not.
  Formula computes(Unknowns &x, const plan::Segment &segment) const;
  Formula leavesOut(Unknowns &x, const plan::Segment &segment,
                    const mask::IntervalSet &among) const;
  Formula isLiveByPieces(Unknowns &x) const;
  Formula isMaskedByPieces(Unknowns &x, const mask::IntervalSet &among) const;
  bool computes(const plan::Segment &segment, const Candidate &at,
                int64_t head) const;

  /// The first row of the class stands at a multiple of the tile's queries.
  bool startsAtTiles(const plan::RowClass &cls);
  bool hasWholeTilesOfKeys();

  /// The tile q of `cls` exists and `row` is one of its rows.
  void requireRowOfTile(Unknowns &x, const plan::RowClass &cls) const;
  /// The tile q of `cls` exists; where rows stand in a layout, it may have
  /// none.
  void requireTile(Unknowns &x, const plan::RowClass &cls) const;
  void requireOwned(Unknowns &x, unsigned classIndex) const;
  /// `row` is none of the class.
  void requireOutside(Unknowns &x, const plan::RowClass &cls) const;
  /// `key` is one of the keys of `keyTile`; and it exists.
  void requireTileOfKey(Unknowns &x) const;
  void requireKeyOfTile(Unknowns &x) const;

  bool isDone() const { return proof.verdict == Verdict::Refuted; }

  const mask::Mask &mask;
  const plan::Plan &plan;
  plan::LengthFacts facts;
  int64_t numHeads;
  mask::Pieces pieces;
  Proof proof;
  /// Why the plan may not be called proven.
  std::string obstacle;
  /// Simplex solutions left; some seconds.
  int budget = 30000;
};

/// The pieces as they are where the query, or the key, is one of `among`:
/// without sets that have all of these.
mask::Pieces restrictSets(const mask::Pieces &pieces, bool ofKey,
                          const mask::IntervalSet &among);

/// The key of a candidate is live.
bool isLive(const mask::Mask &mask, const Candidate &at, int64_t head);

} // namespace mlir::sparse_attn::proof

#endif // SPARSEATTN_LIB_PROOF_PRESBURGERPROOF_H
