//===- KeyTileLoops.cpp - The key tiles of a query tile -------------------===//

#include "KeyTileLoops.h"
#include "KeyPositions.h"
#include "SlotTiles.h"
#include "TileMask.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

KeyTileLoops::KeyTileLoops(MaskedReductionOpInterface op,
                           const ReductionShapes &shapes,
                           const RandomTables &tables, const RowClass &cls,
                           TileShape tile, int64_t columns, int64_t stepKeys)
    : op(op), loc(op.getLoc()), shapes(shapes), tables(tables), cls(cls),
      tile(tile), columns(columns), stepKeys(stepKeys),
      isPaged(this->op.getPageSize().has_value()) {
  if (cls.hasTable() && shapes.facts.nq && shapes.facts.nk)
    tableBounds = findTableBounds(op.getMaskValue(), cls.table, tile,
                                  {*shapes.facts.nq, *shapes.facts.nk});
}

bool KeyTileLoops::mayBeRagged() const {
  std::optional<int64_t> nk = getConstantIntValue(shapes.numKeys);
  if (nk && cls.hasTable())
    return cls.table.passesEnd(tile.keys, *nk);
  if (shapes.slots)
    return true;
  if (nk)
    return *nk % tile.keys != 0;
  return !TileExpr::numKeys().isProvablyMultiple(tile.keys, shapes.facts);
}

bool KeyTileLoops::Kind::isOf(const TileRun &run) const {
  if (run.full != full || !run.where != !where || !(*run.layout == *layout))
    return false;
  return !where || *run.where == *where;
}

/// Partial tiles come first. The list may be empty.
SmallVector<KeyTileLoops::Kind> KeyTileLoops::kindsOf(ArrayRef<TileRun> runs,
                                                      Kind ofList) {
  SmallVector<Kind> kinds;
  auto add = [&](const TileRun &run) {
    if (llvm::none_of(kinds, [&](const Kind &kind) { return kind.isOf(run); }))
      kinds.push_back({run.full, run.where, run.layout});
  };
  for (const TileRun &run : runs)
    if (!run.full)
      add(run);
  if (!ofList.full)
    add({{}, {}, false, nullptr, ofList.layout});
  for (const TileRun &run : runs)
    if (run.full)
      add(run);
  if (ofList.full)
    add({{}, {}, true, nullptr, ofList.layout});
  return kinds;
}

Value KeyTileLoops::step(OpBuilder &b, const QueryTile &at,
                         const DataSpan &data, ValueRange queryOperands,
                         const KeyTile &keys, Kind kind, Value state) {
  IndexMath math{b, loc};
  if (kind.full)
    return op.createStep(b, state, queryOperands, at, keys, {});
  auto toI32 = [&](Value x) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getI32Type(), x);
  };
  TileMask mask{op,
                tables,
                toI32(shapes.numKeys),
                toI32(math.add(at.batch, shapes.batchOrigin)),
                toI32(math.add(at.head, shapes.headOrigin)),
                at.hasPackedHeads ? toI32(at.position) : Value(),
                at.batch,
                at.head,
                keys.positions || mayBeRagged(),
                kind.where,
                shapes,
                data};
  if (shapes.slots)
    mask.end = toI32(math.add(keys.key, keys.rows));
  mask.areOfGrid = data && !keys.positions && !at.positions &&
                   shapes.step == 1 && !cls.hasTable();
  if (mask.areOfGrid && !at.hasPackedHeads)
    mask.toRow = toI32(math.sub(data.firstRow, at.position));
  KeyTile reached = keys;
  if (!keys.positions && !at.positions && !at.hasPackedHeads &&
      shapes.step == 1)
    reached.reach = reachOf(b, at, keys, kind);
  return op.createStep(b, state, queryOperands, at, reached, mask);
}

/// What a tile of neighbouring keys is to neighbouring rows.
RowReach KeyTileLoops::reachOf(OpBuilder &b, const QueryTile &at,
                               const KeyTile &keys, Kind kind) {
  auto toI32 = [&](Value x) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getI32Type(), x);
  };
  MaskPosition first;
  first.i = toI32(at.position);
  first.j = toI32(keys.key);
  first.n = toI32(shapes.numKeys);
  first.staticKeys = op.getStaticNumKeys();
  TileShape shape = {tile.queries, keys.size};
  std::optional<RowReach> reach =
      kind.where ? emitReach(b, loc, *kind.where, first, shape)
                 : emitReach(b, loc, op.getMask(), first, shape);
  if (!reach)
    return {};
  // Some of the slots of a tile at an end of the keys are none.
  if (shapes.slots && reach->full.begin) {
    IndexMath math{b, loc};
    Value isWhole = math.compare(arith::CmpIPredicate::eq, keys.rows,
                                 math.constant(keys.size));
    reach->full.end = math.select(isWhole, reach->full.end, reach->full.begin);
  }
  return *reach;
}

Value KeyTileLoops::keyAt(OpBuilder &b, const VisitSequence &sequence,
                          Value t) const {
  IndexMath math{b, loc};
  int64_t steps = tile.keys / stepKeys;
  if (steps == 1)
    return math.mul(sequence.keyTile(b, loc, t), tile.keys);
  Value place = math.floorDiv(t, steps);
  Value first = math.mul(sequence.keyTile(b, loc, place), tile.keys);
  Value rest = math.sub(t, math.mul(place, steps));
  return math.add(first, math.mul(rest, stepKeys));
}

KeyTile KeyTileLoops::locate(OpBuilder &b, const QueryTile &at,
                             const VisitSequence &sequence, Value t,
                             Kind kind) const {
  IndexMath math{b, loc};
  KeyTile keys;
  if (!kind.layout->isContiguous()) {
    keys.size = kind.layout->tile;
    keys.rows = math.constant(keys.size);
    keys.positions =
        emitPositions(b, loc, *kind.layout, sequence.keyTile(b, loc, t));
    return keys;
  }
  Value half;
  if (areCut && !kind.full) {
    Value place = math.floorDiv(t, 2);
    half =
        math.select(areCut, math.sub(t, math.mul(place, 2)), math.constant(0));
    t = math.select(areCut, place, t);
  }
  keys.key = keyAt(b, sequence, t);
  keys.rows = math.constant(stepKeys);
  keys.size = stepKeys;
  if (shapes.step > 1) {
    keys.row = math.add(shapes.firstKey, math.mul(keys.key, shapes.step));
    keys.step = shapes.step;
  }
  if (half)
    takeHalf(b, loc, shapes, half, keys);
  if (shapes.slots) {
    placeInSlots(b, loc, shapes, kind.full, keys);
  } else if (!kind.full && mayBeRagged()) {
    keys.rows = math.min(keys.rows, math.sub(shapes.numKeys, keys.key));
    // The first step of the last tile may have all its keys, and others none.
    if (stepKeys < tile.keys)
      keys.rows = math.max(keys.rows, math.constant(0));
  }
  if (isPaged)
    placeInPage(b, op, math.add(at.batch, shapes.batchOrigin), keys);
  return keys;
}

/// Plans speak of sequences that have keys. Without any there is no tile,
/// whatever the bounds say. Nor is there for a query tile that a residue or a
/// sequence lacks.
Value KeyTileLoops::countOf(OpBuilder &b, const QueryTile &at,
                            const VisitSequence &sequence, Kind kind) {
  IndexMath math{b, loc};
  Value zero = math.constant(0);
  Value hasKeys = math.compare(arith::CmpIPredicate::sgt, shapes.numKeys,
                               shapes.slots ? shapes.slots->ofKeys : zero);
  int64_t steps = kind.layout->isContiguous() ? tile.keys / stepKeys : 1;
  Value count = math.select(hasKeys, sequence.getCount(), zero);
  if (shapes.step > 1 || shapes.hasLengths()) {
    Value hasRows = math.compare(arith::CmpIPredicate::sgt, at.rows, zero);
    count = math.select(hasRows, count, zero);
  }
  if (areCut && !kind.full)
    count = math.select(areCut, math.mul(count, 2), count);
  return math.mul(count, steps);
}

/// The places of `count` that a part visits: from count p / P on for part p of
/// P. Where P is known at run time only, two of 32 bits make all divisions.
static std::pair<Value, Value> placesOf(OpBuilder &b, Location loc,
                                        const TilePart &part, Value count) {
  IndexMath math{b, loc};
  Value next = math.add(part.part, math.constant(1));
  if (std::optional<int64_t> parts = getConstantIntValue(part.count)) {
    auto place = [&](Value p) {
      return math.floorDiv(b.createOrFold<arith::MulIOp>(loc, count, p),
                           *parts);
    };
    return {place(part.part), place(next)};
  }
  Type i32 = b.getI32Type();
  Value tiles = b.createOrFold<arith::IndexCastUIOp>(loc, i32, count);
  Value parts = b.createOrFold<arith::IndexCastUIOp>(loc, i32, part.count);
  auto widen = [&](Value x) {
    return b.createOrFold<arith::IndexCastUIOp>(loc, b.getIndexType(), x);
  };
  Value each = widen(b.createOrFold<arith::DivUIOp>(loc, tiles, parts));
  Value rest = widen(b.createOrFold<arith::RemUIOp>(loc, tiles, parts));
  // The first `rest` parts have one more.
  auto place = [&](Value p) {
    return math.add(b.createOrFold<arith::MulIOp>(loc, each, p),
                    math.min(p, rest));
  };
  return {place(part.part), place(next)};
}

SmallVector<TileRun>
KeyTileLoops::findRuns(OpBuilder &b, const DataSpan &data,
                       const TileExprVariables &variables) const {
  SmallVector<TileRun> runs;
  for (auto [segment, run] :
       llvm::zip_equal(cls.segments, emitRuns(b, loc, cls, variables)))
    llvm::append_range(runs, data.clip(b, loc, run, segment.within));
  if (shapes.slots)
    return clipToSlots(b, loc, shapes, tile.keys, areCut, runs);
  return runs;
}

Value KeyTileLoops::visit(OpBuilder &b, const QueryTile &at,
                          const DataSpan &data, const TilePart &part) {
  IndexMath math{b, loc};
  TileExprVariables v{at.tile, shapes.virtualQueries, shapes.numKeys};
  SmallVector<TileRun> runs;
  TileList list;
  if (isPaged)
    areCut = emitAreCut(b, loc, shapes, tile.keys);
  // Where there is certainly no key, there is nothing to slice.
  bool hasNoKey = op.getKnownKeys() == int64_t(0);
  if (!hasNoKey) {
    runs = findRuns(b, data, v);
    list = tables.listTiles(b, loc, cls, tile, v, runs, at, shapes);
  }
  // A list may have the tile in which the keys begin.
  bool isListFull =
      !shapes.slots &&
      llvm::all_of(cls.draws, [](const Draw &draw) { return draw.full; });
  SmallVector<Value> queryOperands = op.createQueryOperands(b, at);
  Value state = op.createInitialState(b, op.getStateType(tile, columns));
  if (cls.hasTable())
    return hasNoKey ? state : visitTable(b, at, data, queryOperands, state);
  const Layout contiguous;
  Kind listKind = {isListFull, /*where=*/nullptr, &contiguous};
  for (Kind kind : kindsOf(runs, listKind)) {
    SmallVector<TileRun> some;
    llvm::copy_if(runs, std::back_inserter(some),
                  [&](const TileRun &run) { return kind.isOf(run); });
    bool hasList =
        kind.full == isListFull && !kind.where && kind.layout->isContiguous();
    VisitSequence sequence(b, loc, some, hasList ? list : TileList{});
    if (sequence.empty())
      continue;
    Value begin = math.constant(0), end = countOf(b, at, sequence, kind);
    if (part.count)
      std::tie(begin, end) = placesOf(b, loc, part, end);
    auto loop = scf::ForOp::create(
        b, loc, begin, end, math.constant(1), state,
        [&](OpBuilder &nested, Location, Value t, ValueRange carried) {
          Value next = step(nested, at, data, queryOperands,
                            locate(nested, at, sequence, t, kind), kind,
                            carried.front());
          scf::YieldOp::create(nested, loc, next);
        });
    state = loop.getResult(0);
  }
  return state;
}
