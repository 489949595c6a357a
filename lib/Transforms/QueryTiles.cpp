//===- QueryTiles.cpp - The query tiles of a row class --------------------===//

#include "QueryTiles.h"
#include "KeyPositions.h"
#include "TableTiles.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// A class of a few rows (a global token's) would waste most of a tile: it gets
/// one of as few vectors as hold its rows. Its only query tile is q = 0, whose
/// segments hold for any of its rows, so the plan stays right.
static TileShape fitTile(const RowClass &cls, TileShape planTile) {
  if (!cls.layout.isContiguous())
    return {cls.layout.tile, planTile.keys};
  constexpr int64_t granule = 16;
  LengthFacts facts;
  for (int64_t rows = granule; rows < planTile.queries; rows += granule)
    if (planTile.queries % granule == 0 &&
        TileExpr::provablyLE(cls.rowEnd, cls.rowBegin + rows, facts))
      return {rows, planTile.keys};
  return planTile;
}

QueryTiles::QueryTiles(OpBuilder &b, MaskedReductionOpInterface op,
                       const ReductionShapes &shapes,
                       ArrayRef<RowClass> classes, const Plan &plan,
                       ColumnGroup columns, int64_t step)
    : loc(op.getLoc()), shapes(shapes), tile{0, plan.tile.keys},
      columns(columns),
      areColumnsWhole(columns.isWhole(op.getTileNeeds().valueDim)),
      packed(plan.heads), heads(shapes.queryHeads), step(step) {
  for (const RowClass &cls : classes)
    tile.queries = std::max(tile.queries, fitTile(cls, plan.tile).queries);
  IndexMath math{b, loc};
  if (plan.hasPackedHeads()) {
    Value ofGroup = math.ceilDiv(shapes.headsOfGroup(b, loc), packed);
    heads = b.createOrFold<arith::MulIOp>(loc, shapes.keyHeads, ofGroup);
  }
  if (columns.count > 1)
    heads = math.mul(heads, columns.count);
  if (step > 1) {
    // The first residue has the most rows.
    Value rows = math.ceilDiv(shapes.numQueries, step);
    tiles = math.ceilDiv(rows, tile.queries);
    return;
  }
  TileExprVariables v{math.constant(0), shapes.virtualQueries, shapes.numKeys};
  if (classes.front().layout.isContiguous())
    setRanges(b, classes, v);
  else
    setSlots(b, classes.front(), v);
}

void QueryTiles::setRanges(OpBuilder &b, ArrayRef<RowClass> classes,
                           const TileExprVariables &v) {
  IndexMath math{b, loc};
  tiles = math.constant(0);
  if (classes.front().hasTable()) {
    table = &classes.front().table;
    bool isEmpty = getConstantIntValue(shapes.numQueries) == int64_t(0);
    tiles = math.constant(isEmpty ? 0 : table->numQueryTiles());
    return;
  }
  // A tile of a larger attention has fewer rows than the plan speaks of, and
  // where there is no query or no key, all bounds mean nothing.
  Value before = math.constant(0);
  for (const RowClass &cls : classes) {
    Value begin = math.max(emitTileExpr(b, loc, cls.rowBegin, v), before);
    Value end =
        math.min(emitTileExpr(b, loc, cls.rowEnd, v), shapes.numQueries);
    // An assumption is never one of a tile of a larger attention.
    bool isWhole =
        !shapes.facts.assumed.isTrivial() &&
        cls.rowBegin.isProvablyMultiple(tile.queries, shapes.facts) &&
        cls.rowEnd.isProvablyMultiple(tile.queries, shapes.facts);
    ranges.push_back({begin, end, tiles, isWhole});
    Value count = math.max(math.sub(end, begin), math.constant(0));
    tiles = math.add(tiles, math.ceilDiv(count, tile.queries));
    before = math.max(begin, end);
  }
}

/// A class of a layout is by itself. Without a query there is none to read.
void QueryTiles::setSlots(OpBuilder &b, const RowClass &cls,
                          const TileExprVariables &v) {
  IndexMath math{b, loc};
  layout = &cls.layout;
  Value zero = math.constant(0);
  firstSlot = math.max(emitTileExpr(b, loc, cls.rowBegin, v), zero);
  Value end = emitTileExpr(b, loc, cls.rowEnd, v);
  if (std::optional<int64_t> all = cls.layout.numSlots())
    end = math.min(end, math.constant(*all));
  slots = math.max(math.sub(end, firstSlot), zero);
  Value hasQueries =
      math.compare(arith::CmpIPredicate::sgt, shapes.numQueries, zero);
  slots = math.select(hasQueries, slots, zero);
  tiles = math.ceilDiv(slots, tile.queries);
}

Value QueryTiles::getNumPaddedSlots(OpBuilder &b) const {
  return IndexMath{b, loc}.mul(tiles, tile.queries);
}

Value QueryTiles::positionOf(OpBuilder &b, Value slot) const {
  return emitPosition(b, loc, *layout, IndexMath{b, loc}.add(firstSlot, slot));
}

/// The rows that stand at `positions`, from 0 on; reads look for those past the
/// end at the last one.
static Value emitRows(OpBuilder &b, Location loc, Value positions,
                      Value firstPosition) {
  if (getConstantIntValue(firstPosition) == int64_t(0))
    return positions;
  auto type = cast<RankedTensorType>(positions.getType());
  Value empty =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  Value first =
      arith::IndexCastOp::create(b, loc, type.getElementType(), firstPosition);
  SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(1));
  SmallVector<utils::IteratorType> iterators = {utils::IteratorType::parallel};
  return linalg::GenericOp::create(
             b, loc, type, positions, empty, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               Value row = arith::SubIOp::create(nested, loc, args[0], first);
               Value zero = arith::ConstantOp::create(
                   nested, loc, nested.getI32IntegerAttr(0));
               linalg::YieldOp::create(
                   nested, loc,
                   arith::MaxSIOp::create(nested, loc, row, zero).getResult());
             })
      .getResult(0);
}

void QueryTiles::locateSlots(OpBuilder &b, QueryTile &at) const {
  IndexMath math{b, loc};
  at.row = math.mul(at.tile, tile.queries);
  at.rows = math.constant(tile.queries);
  at.position = math.constant(0);
  at.positions =
      emitPositionsFrom(b, loc, *layout, math.add(firstSlot, at.row));
  at.sources = emitRows(b, loc, at.positions, shapes.firstPosition);
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
  if (step == 1)
    return shapes;
  Value residue = b.createOrFold<arith::DivUIOp>(loc, ids[2], tiles);
  return shapes.fold(b, loc, step, residue);
}

void QueryTiles::locateFolded(OpBuilder &b, const ReductionShapes &folded,
                              QueryTile &at) const {
  IndexMath math{b, loc};
  int64_t size = tile.queries;
  at.tile = b.createOrFold<arith::RemUIOp>(loc, at.tile, tiles);
  at.step = step;
  Value first = math.mul(at.tile, size);
  at.row = math.add(folded.firstRow, math.mul(first, step));
  at.position = math.add(first, folded.firstPosition);
  if (std::optional<int64_t> rows = folded.facts.nq; rows && *rows % size == 0)
    at.rows = math.constant(size);
  else // Other residues may have one more tile.
    at.rows =
        math.max(math.constant(0), math.min(math.sub(folded.numQueries, first),
                                            math.constant(size)));
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
  int64_t size = tile.queries;
  QueryTile at;
  at.batch = ids[0];
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
  if (table) {
    at.row = emitIndexEntry(b, loc, table->cuts, at.tile);
    Value next = math.add(at.tile, math.constant(1));
    at.rows = math.sub(emitIndexEntry(b, loc, table->cuts, next), at.row);
    at.position = math.add(at.row, shapes.firstPosition);
    return at;
  }
  if (layout) {
    locateSlots(b, at);
    return at;
  }
  if (step > 1) {
    locateFolded(b, shapesAt, at);
    return at;
  }
  // Each range holds from its first tile on; an empty one holds no tile.
  Value end;
  bool whole = true;
  for (const Rows &rows : ranges) {
    Value row =
        math.add(rows.begin, math.mul(math.sub(at.tile, rows.firstTile), size));
    std::optional<int64_t> first = getConstantIntValue(rows.begin);
    std::optional<int64_t> last = getConstantIntValue(rows.end);
    whole &= rows.isWhole ||
             (first && last && *first < *last && (*last - *first) % size == 0);
    Value reached =
        math.compare(arith::CmpIPredicate::sge, at.tile, rows.firstTile);
    at.row = end ? math.select(reached, row, at.row) : row;
    end = end ? math.select(reached, rows.end, end) : rows.end;
  }
  if (!at.hasPackedHeads)
    at.rows = whole ? math.constant(size)
                    : math.min(math.sub(end, at.row), math.constant(size));
  at.position = math.add(at.row, shapes.firstPosition);
  return at;
}

SmallVector<Value> QueryTiles::slices(OpBuilder &b, const QueryTile &at,
                                      ValueRange outputs) const {
  IndexMath math{b, loc};
  return llvm::map_to_vector(outputs, [&](Value output) {
    bool hasColumns = cast<ShapedType>(output.getType()).getRank() > 3;
    Value rows = at.rows;
    if (at.column && !hasColumns) {
      Value zero = math.constant(0);
      Value isFirst = math.compare(arith::CmpIPredicate::eq, at.column, zero);
      rows = math.select(isFirst, rows, zero);
    }
    return sliceQueries(b, loc, output, at, rows,
                        hasColumns ? at.column : Value(), columns.size);
  });
}
