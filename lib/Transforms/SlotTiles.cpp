//===- SlotTiles.cpp - Key tiles of slots with positions ------------------===//

#include "SlotTiles.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

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
                                             int64_t keys, Value areCut,
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
    if (areCut)
      whole = math.select(areCut, end, whole);
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

Value transforms::emitAreCut(OpBuilder &b, Location loc,
                             const ReductionShapes &shapes, int64_t keys) {
  if (!shapes.slots || !shapes.slots->ofSlots)
    return {};
  IndexMath math{b, loc};
  Value first = shapes.slots->ofSlots;
  return math.compare(arith::CmpIPredicate::ne, first,
                      math.mul(math.floorDiv(first, keys), keys));
}

void transforms::takeHalf(OpBuilder &b, Location loc,
                          const ReductionShapes &shapes, Value half,
                          KeyTile &keys) {
  IndexMath math{b, loc};
  Value first = shapes.slots->ofSlots, one = math.constant(1);
  Value slots = math.floorDiv(math.sub(keys.key, first), keys.size);
  Value cut = math.add(math.mul(math.add(slots, one), keys.size), first);
  Value end = math.add(keys.key, keys.rows);
  Value isSecond = math.compare(arith::CmpIPredicate::eq, half, one);
  keys.key = math.select(isSecond, cut, keys.key);
  keys.rows = math.sub(math.select(isSecond, end, cut), keys.key);
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

void transforms::placeInPage(OpBuilder &b, MaskedReductionOpInterface op,
                             Value batch, KeyTile &keys) {
  Location loc = op.getLoc();
  IndexMath math{b, loc};
  Value table = op.getDataOperand(kPageTable);
  int64_t page = *op.getPageSize();
  auto clamp = [&](Value x, Value source, unsigned dim) {
    Value count = getValueOrCreateConstantIndexOp(
        b, loc, tensor::getMixedSize(b, loc, source, dim));
    return math.max(math.min(x, math.sub(count, math.constant(1))),
                    math.constant(0));
  };
  Value slot = keys.row ? keys.row : keys.key;
  Value number = clamp(math.floorDiv(slot, page), table, 1);
  Value id =
      tensor::ExtractOp::create(b, loc, table, ValueRange{batch, number});
  id = arith::IndexCastOp::create(b, loc, b.getIndexType(), id);
  keys.page = clamp(id, op.getKey(), 0);
  keys.row = math.sub(slot, math.mul(number, page));
}
