//===- ExhaustiveLayouts.cpp - Rows of tiles that stand across others -----===//
//
// The slots of a layout's tiles are intervals of keys, as rows are; what each
// segment computes of a row must be live, and no key be computed twice.
//
//===----------------------------------------------------------------------===//

#include "RowProof.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;

/// Where the slots of some tiles stand; those past the end of a list, and of
/// any sequence, at the position that none is at.
static IntervalSet positionsOf(const Layout &layout, Range tiles) {
  llvm::SmallVector<Range> ranges;
  int64_t end = tiles.end * layout.tile;
  for (int64_t slot = tiles.begin * layout.tile; slot < end;) {
    if (std::optional<int64_t> slots = layout.numSlots();
        slots && slot >= *slots) {
      ranges.push_back({maxSequenceLength, maxSequenceLength + 1});
      break;
    }
    int64_t next = std::min(end, (slot / layout.width + 1) * layout.width);
    int64_t first = std::min(layout.position(slot), maxSequenceLength);
    ranges.push_back(
        {first, std::min(first + next - slot, maxSequenceLength + 1)});
    slot = next;
  }
  return IntervalSet::fromRanges(std::move(ranges));
}

std::optional<Proof> RowProof::addLayouts(const RowClass &cls, int64_t q,
                                          int64_t row,
                                          std::vector<Share> &shares) const {
  for (const Segment &segment : cls.segments) {
    const Layout &layout = segment.layout;
    Range tiles = segment.keyTiles(q, n);
    if (layout.isContiguous() || tiles.empty())
      continue;
    int64_t slots = layout.slotsBelow(n.nk);
    if (tiles.begin < 0 ||
        tiles.end - 1 > (layout.numSlots().value_or(slots) - 1) / layout.tile)
      return refute(reasons::range, row, n.nk);
    if (segment.full && tiles.end > slots / layout.tile)
      return refute(reasons::fullPastEnd, row, n.nk);
    shares.push_back({positionsOf(layout, tiles), segment.full,
                      segment.where ? &*segment.where : nullptr});
  }
  return std::nullopt;
}

/// The keys of `keys` that the pieces have in row i, looked for where there are
/// some only: those past the last key lie far away.
static IntervalSet namedKeys(const Pieces &pieces, const Lengths &n, int64_t i,
                             const IntervalSet &keys) {
  llvm::SmallVector<Range> named;
  for (Range range : keys.ranges()) {
    IntervalSet some = keysOfRow(pieces, n, i, range);
    llvm::append_range(named, some.ranges());
  }
  return IntervalSet::fromRanges(std::move(named));
}

/// Each live key must be in one share, and each of a share be live.
std::optional<Proof> RowProof::checkShares(int64_t row,
                                           llvm::ArrayRef<Share> shares) const {
  Range keys = {0, n.nk}, any = {0, maxSequenceLength + 1};
  int64_t i = row + n.firstQuery();
  IntervalSet live = mask.liveKeys(n, head, i, keys);
  IntervalSet masked = live.complementIn(any), computed;
  auto refuteAt = [&](const char *reason, const IntervalSet &wrong) {
    return refute(reason, row, wrong.ranges().front().begin);
  };
  for (const Share &share : shares) {
    IntervalSet pairs = share.keys;
    if (share.where)
      pairs = namedKeys(*share.where, n, i, share.keys);
    else if (!share.full)
      pairs = pairs.intersect(live);
    if (IntervalSet wrong = pairs.intersect(masked); !wrong.empty())
      return refuteAt(share.full ? reasons::fullMasked : reasons::where, wrong);
    if (IntervalSet twice = pairs.intersect(computed); !twice.empty())
      return refuteAt(reasons::pairOnce, twice);
    computed = computed.unite(pairs);
  }
  if (IntervalSet missed = live.intersect(computed.complementIn(keys));
      !missed.empty())
    return refuteAt(reasons::coverage, missed);
  return std::nullopt;
}
