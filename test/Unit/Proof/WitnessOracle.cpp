//===- WitnessOracle.cpp --------------------------------------------------===//

#include "WitnessOracle.h"
#include "Mask/PieceOracle.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;
using namespace mlir::sparse_attn::plan_test;

/// Whether the pair of a row and key j shows what is wrong with a table.
static bool isShownByTable(llvm::StringRef reason, const Plan &plan,
                           const RowClass &cls, int64_t row, int64_t j,
                           bool isLive, bool isOwner) {
  int64_t q = tileOfTable(cls.table, row);
  int seen = timesVisited(cls, plan.tile, q, j, /*fullOnly=*/false);
  bool isFull = timesVisited(cls, plan.tile, q, j, /*fullOnly=*/true) > 0;
  if (reason.contains("in no visited tile"))
    return isOwner && isLive && seen == 0;
  if (reason.contains("twice"))
    return seen > 1;
  if (reason.contains("masked pair"))
    return isOwner && isFull && !isLive;
  if (reason.contains("keys past Sk"))
    return isFull;
  return reason.contains("outside [0, Sk)") && seen > 0;
}

bool plan_test::isTrueWitness(const Mask &mask, const Plan &plan,
                              const Proof &proof) {
  const Witness &w = *proof.witness;
  int64_t row = w.i - w.n.firstQuery();
  llvm::StringRef reason = proof.reason;
  bool isLive =
      w.j >= 0 && w.j < w.n.nk && mask.contains(w.n, w.head, w.i, w.j);
  if (reason.contains("outside [0, Sq)"))
    return (row < 0 || row >= w.n.nq) && ownerOf(plan, row, w.n);
  const RowClass *owner = ownerOf(plan, row, w.n);
  if (!owner)
    return isLive && row >= 0 && row < w.n.nq;
  bool isOfPair = reason.contains("pair") || reason.contains("names");
  if (isOfPair && owner->hasLayouts()) {
    bool isAtEnd = w.j >= maxSequenceLength;
    return timesComputed(mask, plan, *owner, w.n, w.head, row,
                         isAtEnd ? -1 : w.j) != isLive;
  }
  for (const RowClass &cls : plan.classes) {
    if (!hasRow(cls, row, w.n))
      continue;
    if (cls.hasTable()) {
      if (isShownByTable(reason, plan, cls, row, w.j, isLive, &cls == owner))
        return true;
      continue;
    }
    int64_t q = queryTileOf(cls, plan.tile, row, w.n);
    int64_t seen = 0, keyTile = w.j >= 0 ? w.j / plan.tile.keys
                                         : -((-w.j - 1) / plan.tile.keys) - 1;
    bool full = false;
    for (VisitedTile tile : visitedTiles(cls, plan.tile, w.n, w.head, q)) {
      if (tile.keyTile != keyTile)
        continue;
      ++seen;
      full |= tile.full;
    }
    bool shown = false;
    if (reason.contains("in no visited tile"))
      shown = &cls == owner && isLive && seen == 0;
    else if (reason.contains("twice"))
      shown = seen > 1;
    else if (reason.contains("masked pair"))
      shown = &cls == owner && full && !isLive && w.j < w.n.nk;
    else if (reason.contains("a segment names"))
      shown = &cls == owner &&
              llvm::any_of(cls.segments, [&](const Segment &segment) {
                return segment.where &&
                       segment.keyTiles(q, w.n).contains(keyTile) &&
                       test::holdsLiterally(*segment.where, w.n, w.head, w.i,
                                            w.j) != isLive;
              });
    else if (reason.contains("keys past Sk"))
      shown = full && (keyTile + 1) * plan.tile.keys > w.n.nk;
    else if (reason.contains("outside [0, Sk)"))
      shown = seen > 0 && (keyTile < 0 || keyTile * plan.tile.keys >= w.n.nk);
    if (shown)
      return true;
  }
  return false;
}
