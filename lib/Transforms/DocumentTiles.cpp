//===- DocumentTiles.cpp - The key tiles of a query tile's documents ------===//

#include "DocumentTiles.h"
#include "SlotTiles.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

using Compare = arith::CmpIPredicate;

//===----------------------------------------------------------------------===//
// Spans
//===----------------------------------------------------------------------===//

SmallVector<TileRun> DocumentSpan::clip(OpBuilder &b, Location loc,
                                        const TileRun &run) const {
  IndexMath math{b, loc};
  Value first = math.max(run.begin, begin);
  Value last = math.max(first, math.min(run.end, end));
  auto part = [&](Value from, Value to, bool full) {
    return TileRun{from, to, full, run.where, run.layout};
  };
  if (!run.full)
    return {part(first, last, /*full=*/false)};
  Value from = math.min(math.max(fullBegin, first), last);
  Value to = math.max(from, math.min(fullEnd, last));
  return {part(first, from, false), part(from, to, true),
          part(to, last, false)};
}

DocumentSpan DocumentTiles::spanAt(OpBuilder &b, const DocumentTable &spans,
                                   ValueRange ids,
                                   const ReductionShapes &here) const {
  if (!spans)
    return {};
  IndexMath math{b, loc};
  SmallVector<Value, 4> numbers;
  Value before = firstTileOfSlots(b, loc, here, table.size);
  for (int64_t k = 0; k < 4; ++k) {
    Value number = IntMath{b, loc}.toIndex(tensor::ExtractOp::create(
        b, loc, spans.numbers, ValueRange{ids[0], ids[2], math.constant(k)}));
    numbers.push_back(before ? math.add(number, before) : number);
  }
  return {numbers[0], numbers[1], numbers[2], numbers[3], spans.ids, table.ids};
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

DocumentTiles::DocumentTiles(OpBuilder &b, MaskedReductionOpInterface op,
                             const ReductionShapes &shapes,
                             const plan::Plan &plan)
    : loc(op.getLoc()), documents(op.getDataOperand(kDocuments)) {
  table.size = plan.tile.keys;
  if (documents)
    fill(b, shapes);
}

void DocumentTiles::fill(OpBuilder &b, const ReductionShapes &shapes) {
  Value tiles = numTilesOfSlots(b, loc, shapes, table.size);
  int64_t keys = table.size;
  table = makeTable(
      b, loc, shapes.batch, tiles, /*count=*/3, keys,
      [&](OpBuilder &nested, ValueRange ids, Value place) {
        IndexMath math{nested, loc};
        ReductionShapes here = shapes.ofBatch(nested, loc, ids[0]);
        // Past the end there is no document, so that a tile that is not whole
        // has none in common.
        Value tile = ids[1];
        if (Value before = firstTileOfSlots(nested, loc, here, table.size))
          tile = math.add(tile, before);
        Positions at = {math.add(ids[0], shapes.batchOrigin),
                        math.mul(tile, keys), math.constant(keys), here, keys};
        Ids found = readIds(nested, loc, documents, at, /*none=*/-1, place);
        return std::pair(SmallVector<Value>{found.least, found.greatest,
                                            found.common(nested, loc)},
                         found);
      });
}

/// The first and the last key tile whose ids meet those of some rows, and the
/// first run of tiles of the only document that the rows have, if they have
/// one.
static SmallVector<Value> findSpan(OpBuilder &b, Location loc,
                                   const DocumentTable &table, Value batch,
                                   const Ids &ofRows, Value tiles) {
  IndexMath math{b, loc};
  IntMath ints{b, loc};
  Value common = ofRows.common(b, loc);
  Value none = ints.constant(-1), zero = ints.constant(0);
  Value most = ints.constant(std::numeric_limits<int32_t>::max());
  auto loop = scf::ForOp::create(
      b, loc, math.constant(0), tiles, math.constant(1),
      ValueRange{most, zero, zero, zero},
      [&](OpBuilder &nested, Location, Value tile, ValueRange carried) {
        IntMath inner{nested, loc};
        auto numberOf = [&](int64_t place) -> Value {
          return tensor::ExtractOp::create(
              nested, loc, table.numbers,
              ValueRange{batch, tile, IndexMath{nested, loc}.constant(place)});
        };
        Value here = inner.fromIndex(tile);
        Value next =
            arith::AddIOp::create(nested, loc, here, inner.constant(1));
        Value meets = inner.both(
            inner.compare(Compare::sge, numberOf(1), ofRows.least),
            inner.compare(Compare::sle, numberOf(0), ofRows.greatest));
        Value begin = inner.min(carried[0], inner.select(meets, here, most));
        Value end = inner.select(meets, next, carried[1]);
        Value isFull =
            inner.both(inner.compare(Compare::ne, common, none),
                       inner.compare(Compare::eq, common, numberOf(2)));
        Value isFirst = inner.compare(Compare::eq, carried[3], zero);
        Value follows = inner.compare(Compare::eq, carried[3], here);
        Value fullBegin =
            inner.select(inner.both(isFull, isFirst), here, carried[2]);
        Value fullEnd =
            inner.select(inner.both(isFull, inner.either(isFirst, follows)),
                         next, carried[3]);
        scf::YieldOp::create(nested, loc,
                             ValueRange{begin, end, fullBegin, fullEnd});
      });
  return {ints.min(loop.getResult(0), loop.getResult(1)), loop.getResult(1),
          loop.getResult(2), loop.getResult(3)};
}

DocumentTable DocumentTiles::findSpans(OpBuilder &b, const QueryTiles &tiles,
                                       bool hasPackedHeads) const {
  if (!documents)
    return {};
  SmallVector<Value> bounds = tiles.getBounds(b);
  int64_t size = hasPackedHeads ? 1 : tiles.getTile().queries;
  return makeTable(
      b, loc, bounds[0], bounds[2], /*count=*/4, size,
      [&](OpBuilder &nested, ValueRange ids, Value place) {
        IndexMath math{nested, loc};
        SmallVector<Value, 3> all = {ids[0], math.constant(0), ids[1]};
        ReductionShapes here = tiles.shapesAt(nested, all);
        QueryTile tile = tiles.locate(nested, all, here);
        Positions at = {math.add(tile.batch, tile.batchOrigin), tile.position,
                        hasPackedHeads ? math.constant(1) : tile.rows, here,
                        size};
        Ids found = readIds(nested, loc, documents, at, /*none=*/-2, place);
        Value keyTiles = math.ceilDiv(here.numKeys, table.size);
        if (Value before = firstTileOfSlots(nested, loc, here, table.size))
          keyTiles = math.sub(keyTiles, before);
        return std::pair(findSpan(nested, loc, table, ids[0], found, keyTiles),
                         found);
      });
}
