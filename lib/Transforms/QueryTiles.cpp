//===- QueryTiles.cpp - The query tiles of a row class --------------------===//

#include "QueryTiles.h"
#include "ScatteredRows.h"
#include "VisitTiles.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

QueryTiles::QueryTiles(OpBuilder &b, MaskedReductionOpInterface op,
                       const ReductionShapes &shapes,
                       ArrayRef<RowClass> classes, const Plan &plan,
                       ColumnGroup columns, int64_t step)
    : loc(op.getLoc()), shapes(shapes), tile{0, plan.tile.keys},
      columns(columns),
      areColumnsWhole(columns.isWhole(op.getTileNeeds().valueDim)),
      packed(plan.heads), heads(shapes.queryHeads), step(step) {
  for (const RowClass &cls : classes)
    tile.queries = std::max(tile.queries, cls.codeRows(plan.tile));
  IndexMath math{b, loc};
  if (plan.hasPackedHeads()) {
    Value ofGroup = math.ceilDiv(shapes.headsOfGroup(b, loc), packed);
    heads = b.createOrFold<arith::MulIOp>(loc, shapes.keyHeads, ofGroup);
  }
  if (columns.count > 1)
    heads = math.mul(heads, columns.count);
  rows = makeRowLocator(b, loc, shapes, classes, tile.queries, step);
  tiles = rows->getNumTiles();
}

QueryTiles QueryTiles::ofMissingRows(OpBuilder &b,
                                     MaskedReductionOpInterface op,
                                     const ReductionShapes &shapes,
                                     const Plan &plan, ColumnGroup columns) {
  QueryTiles missing(b, op, shapes, plan.classes.front(), plan, columns);
  missing.rows = makeMissingRows(b, op.getLoc(), shapes, missing.tile.queries);
  missing.tiles = missing.rows->getNumTiles();
  return missing;
}

bool QueryTiles::isEmpty() const {
  auto isZero = [](Value size) {
    return getConstantIntValue(size) == int64_t(0);
  };
  return isZero(shapes.batch) || isZero(tiles);
}

SmallVector<Value> QueryTiles::getBounds(OpBuilder &b) const {
  return {shapes.batch, heads, IndexMath{b, loc}.mul(tiles, step)};
}

Value QueryTiles::numWholeRows(OpBuilder &b) const {
  return IndexMath{b, loc}.mul(tiles, step * tile.queries);
}

ReductionShapes QueryTiles::shapesAt(OpBuilder &b, ValueRange ids) const {
  ReductionShapes here = shapes.ofBatch(b, loc, ids[0]);
  if (step == 1)
    return here;
  Value residue = b.createOrFold<arith::DivUIOp>(loc, ids[2], tiles);
  return here.fold(b, loc, step, residue);
}

Value QueryTiles::columnOf(OpBuilder &b, Value number) const {
  if (areColumnsWhole)
    return {};
  IndexMath math{b, loc};
  Value first = math.constant(columns.first);
  if (columns.count == 1)
    return first;
  Value slice =
      b.createOrFold<arith::RemUIOp>(loc, number, math.constant(columns.count));
  return math.add(first, math.mul(slice, columns.size));
}

void QueryTiles::locatePackedHeads(OpBuilder &b, Value number,
                                   QueryTile &at) const {
  IndexMath math{b, loc};
  Value group = shapes.headsOfGroup(b, loc);
  Value tilesOfGroup = math.ceilDiv(group, packed);
  Value first = math.constant(0);
  at.keyHead = number;
  if (getConstantIntValue(tilesOfGroup) != int64_t(1)) {
    at.keyHead = b.createOrFold<arith::DivUIOp>(loc, number, tilesOfGroup);
    first = math.mul(b.createOrFold<arith::RemUIOp>(loc, number, tilesOfGroup),
                     packed);
  }
  at.head =
      math.add(b.createOrFold<arith::MulIOp>(loc, at.keyHead, group), first);
  std::optional<int64_t> known = getConstantIntValue(group);
  at.rows = known && *known % packed == 0
                ? math.constant(packed)
                : math.min(math.sub(group, first), math.constant(packed));
  at.hasPackedHeads = true;
}

QueryTile QueryTiles::locate(OpBuilder &b, ValueRange ids,
                             const ReductionShapes &shapesAt) const {
  IndexMath math{b, loc};
  QueryTile at;
  at.batch = ids[0];
  at.batchOrigin = shapes.batchOrigin;
  at.headOrigin = shapes.headOrigin;
  at.rowOrigin = shapes.rowOrigin;
  at.firstPosition = shapesAt.unfoldedPosition;
  at.lastPosition = math.add(
      at.firstPosition, math.sub(shapesAt.unfoldedQueries, math.constant(1)));
  at.firstKey = shapesAt.slots ? shapesAt.slots->ofKeys : math.constant(0);
  at.lastKey = math.sub(shapesAt.unfoldedKeys, math.constant(1));
  if (shapesAt.slots)
    at.slotPosition = shapesAt.slots->ofSlots;
  Value number = columns.count == 1
                     ? ids[1]
                     : b.createOrFold<arith::DivUIOp>(
                           loc, ids[1], math.constant(columns.count));
  at.column = columnOf(b, ids[1]);
  if (packed > 1) {
    locatePackedHeads(b, number, at);
  } else {
    at.head = number;
    at.keyHead = shapes.keyHead(b, loc, at.head);
  }
  at.tile = ids[2];
  rows->locate(b, shapesAt, at);
  return at;
}

SmallVector<Value> QueryTiles::places(OpBuilder &b, const QueryTile &at,
                                      ValueRange outputs) const {
  if (at.destinations)
    return makeScatteredResults(b, loc, at, outputs, columns.size);
  IndexMath math{b, loc};
  return llvm::map_to_vector(outputs, [&](Value output) {
    bool hasColumns = cast<ShapedType>(output.getType()).getRank() > 3;
    Value count = at.rows;
    if (at.column && !hasColumns) {
      Value zero = math.constant(0);
      Value isFirst = math.compare(arith::CmpIPredicate::eq, at.column, zero);
      count = math.select(isFirst, count, zero);
    }
    return sliceQueries(b, loc, output, at, count,
                        hasColumns ? at.column : Value(), columns.size);
  });
}

void QueryTiles::insert(OpBuilder &b, const QueryTile &at, ValueRange results,
                        ValueRange places, ValueRange outputs) const {
  if (at.destinations)
    scatterInParallel(b, loc, at, results, outputs);
  else
    insertInParallel(b, loc, results, places);
}
