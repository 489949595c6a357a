//===- SegmentBuilder.h - Disjoint segments in closed form ------*- C++ -*-===//
//
// Bands claim key tiles one after another; what an earlier band has claimed is
// cut out of a later one. With claims kept normal, end >= begin, the set
// [a, b) minus [c, d) is [a, min(b, c)) and [max(a, d), b), whatever the order
// of the four numbers: no tile is ever enumerated. A claim that holds only
// where a condition does leaves, where it does not, what it would have taken.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_PLAN_SEGMENTBUILDER_H
#define SPARSEATTN_LIB_PLAN_SEGMENTBUILDER_H

#include "LivePairs.h"

namespace mlir::sparse_attn::plan {

/// Collects the segments of one class.
class SegmentBuilder {
public:
  /// `pairs`: null where no segment is to tell its live pairs.
  SegmentBuilder(const LengthFacts &facts, const LivePairs *pairs)
      : facts(facts), pairs(pairs) {}

  void add(const TileBand &band);
  /// Whether the bands so far visit whatever the band would.
  bool visits(const TileBand &band) const;
  bool isTooLarge() const;
  /// Whether partial segments ask too many different things.
  bool hasTooManyConditions() const;
  /// The bands are in the order left, moving, right.
  void finish(RowClass &cls) const;

private:
  using Placed = std::pair<TileBand::Place, Segment>;

  struct Claim {
    TileInterval tiles;
    Within within;
  };
  /// What no claim so far that `selects` names has taken of `interval`.
  llvm::SmallVector<TileInterval>
  unclaimed(const TileInterval &interval,
            llvm::function_ref<bool(const Claim &)> selects) const;
  void subtract(const TileInterval &from, const TileInterval &claim,
                llvm::SmallVectorImpl<TileInterval> &rest) const;
  void split(const TileInterval &part, const TileBand &band);
  void appendFull(const TileInterval &tiles, const TileBand &band);
  void appendPartial(const TileInterval &tiles, const TileBand &band,
                     Edges edges = {});
  void append(Segment segment, TileBand::Place place);

  LengthFacts facts;
  const LivePairs *pairs;
  llvm::SmallVector<unsigned> claimed;
  llvm::SmallVector<Claim> claims;
  std::vector<Placed> segments;
};

} // namespace mlir::sparse_attn::plan

#endif // SPARSEATTN_LIB_PLAN_SEGMENTBUILDER_H
