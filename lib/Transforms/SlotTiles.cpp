//===- SlotTiles.cpp - Key tiles of slots with positions ------------------===//

#include "SlotTiles.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// The tiles of which a plan says nothing.
static TileRun runBesidePlan(OpBuilder &b, Location loc,
                             const ReductionShapes &shapes, int64_t keys,
                             Value first) {
  static const Layout contiguous;
  IndexMath math{b, loc};
  Value end = math.ceilDiv(shapes.numKeys, keys);
  Value beforeZero = math.min(end, math.constant(0));
  Value last = math.select(shapes.slots->areOutsidePlans, end, beforeZero);
  return {first, math.max(first, last), /*full=*/false, /*where=*/nullptr,
          &contiguous};
}

SmallVector<TileRun> transforms::clipToSlots(OpBuilder &b, Location loc,
                                             const ReductionShapes &shapes,
                                             int64_t keys,
                                             ArrayRef<TileRun> runs) {
  IndexMath math{b, loc};
  const SlotPositions &slots = *shapes.slots;
  Value first = math.floorDiv(slots.ofKeys, keys);
  Value firstWhole = math.ceilDiv(slots.ofKeys, keys);
  SmallVector<TileRun> clipped;
  auto add = [&](const TileRun &run, Value from, Value to, bool full) {
    clipped.push_back({from, to, full, run.where, run.layout, run.list});
  };
  for (const TileRun &run : runs) {
    Value least = run.list ? run.list.countBefore(b, loc, first) : first;
    Value begin = math.max(run.begin, least);
    Value end = math.max(begin, run.end);
    if (slots.areOutsidePlans)
      end = math.select(slots.areOutsidePlans, begin, end);
    if (!run.full) {
      add(run, begin, end, /*full=*/false);
      continue;
    }
    Value whole = math.min(math.max(begin, firstWhole), end);
    add(run, begin, whole, /*full=*/false);
    add(run, whole, end, /*full=*/true);
  }
  if (slots.areOutsidePlans)
    clipped.push_back(runBesidePlan(b, loc, shapes, keys, first));
  return clipped;
}

Value transforms::firstTileOfSlots(OpBuilder &b, Location loc,
                                   const ReductionShapes &here, int64_t keys) {
  if (!here.slots || !here.slots->ofSlots)
    return {};
  return IndexMath{b, loc}.floorDiv(here.slots->ofSlots, keys);
}

Value transforms::numTilesOfSlots(OpBuilder &b, Location loc,
                                  const ReductionShapes &shapes, int64_t keys) {
  IndexMath math{b, loc};
  // Where slots stand anywhere, they may begin inside of a tile, and a tile
  // that is moved to the first of them reaches beyond where it would end.
  int64_t more = int64_t(bool(shapes.keyPositions)) + shapes.hasPositions();
  return math.add(math.ceilDiv(shapes.numKeys, keys), math.constant(more));
}

void transforms::placeInSlots(OpBuilder &b, Location loc,
                              const ReductionShapes &shapes, bool isFull,
                              KeyTile &keys) {
  IndexMath math{b, loc};
  const SlotPositions &slots = *shapes.slots;
  if (!isFull) {
    Value end = math.min(math.add(keys.key, keys.rows), shapes.numKeys);
    keys.key = math.max(keys.key, slots.ofKeys);
    keys.rows = math.max(math.sub(end, keys.key), math.constant(0));
  }
  if (slots.ofSlots)
    keys.row = math.sub(keys.key, slots.ofSlots);
}
