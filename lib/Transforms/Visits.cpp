//===- Visits.cpp - The loops of a plan, or of a part of one --------------===//

#include "Visits.h"
#include "FewBlocks.h"
#include "SparseAttn/Plan/Grids.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "sparse-attn-visit-tiles"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

Value Visits::numParts(const RowClass &cls) {
  if (!plan.fewBlocks)
    return IndexMath{builder, loc}.constant(options.heavySplits);
  return emitNumParts(builder, loc, cls, plan, shapes);
}

/// Parts of heavy rows come first: they write memory of their own, and so may
/// run together with the rows of the first classes, whose results those of
/// later ones replace.
SmallVector<Value> Visits::visit(const ColumnGroup &columns,
                                 SmallVector<Value> outputs,
                                 const PartStates *before) {
  struct Group {
    ArrayRef<RowClass> together; ///< classes that visit the same tiles
    QueryTiles tiles;
    DataTables spans = {}; ///< what data leaves of the tiles
    SmallVector<Value> parts = {};
  };
  SmallVector<Group, 0> groups;
  bool isFirst = true, hasParts = false, firstIsWhole = false;
  for (ArrayRef<RowClass> rest = plan.classes; !rest.empty(); isFirst = false) {
    // Only rows of the first class go on from the states of other parts.
    bool goesOn = isFirst && before;
    ArrayRef<RowClass> together = rest.take_front(
        goesOn ? 1 : countTogether(rest, LengthFacts().assuming(plan.assumed)));
    rest = rest.drop_front(together.size());
    Group group = {together, QueryTiles(builder, op, shapes, together, plan,
                                        columns, step)};
    if (group.tiles.isEmpty())
      continue;
    group.spans = data.findSpans(builder, group.tiles, plan.hasPackedHeads());
    bool split = isSplit(group.together.front());
    for (const RowClass &one : together)
      report(one, group.tiles.getTile(), split ? options.heavySplits : 1);
    if (split)
      group.parts = emitParts(together.front(), group.tiles, group.spans);
    hasParts |= split;
    firstIsWhole |= isFirst && !split;
    groups.push_back(std::move(group));
  }
  for (auto [index, group] : llvm::enumerate(groups)) {
    const QueryTiles &tiles = group.tiles;
    const PartStates *others =
        group.together.begin() == plan.classes.begin() ? before : nullptr;
    bool together = hasParts && firstIsWhole && index == 0;
    outputs = isSplit(group.together.front())
                  ? mergeParts(group.together, tiles, columns, group.parts,
                               outputs, others)
                  : visitWhole(group.together.front(), tiles, group.spans,
                               outputs, together, others);
  }
  return outputs;
}

/// What a class of rows comes to, as numbers, for who asks for remarks.
void Visits::report(const RowClass &cls, TileShape tile, int64_t parts) const {
  int64_t full = llvm::count_if(
      cls.segments, [](const Segment &segment) { return segment.full; });
  LDBG_OS([&](raw_ostream &os) {
    cls.rowBegin.print(os << "rows ");
    cls.rowEnd.print(os << " to ");
    os << " in tiles of " << tile.queries << " and " << parts
       << " parts along the keys";
  });
  auto report = remark::analysis(
      loc, remark::RemarkOpts::name("row-class").category(DEBUG_TYPE));
  report << remark::metric("full-segments", full)
         << remark::metric("partial-segments", cls.segments.size() - full)
         << remark::metric("tile-lists", cls.draws.size())
         << remark::metric("parts", parts);
  if (cls.hasTable())
    report << remark::metric("table-tiles", cls.table.starts.size());
}

SmallVector<Value> Visits::forall(ValueRange bounds, ValueRange outputs,
                                  bool together, BodyFn body) {
  auto loop = scf::ForallOp::create(
      builder, loc, getAsOpFoldResult(bounds), outputs, std::nullopt,
      [&](OpBuilder &b, Location, ValueRange args) { body(b, args); });
  markAsGrid(loop);
  if (together)
    loop->setDiscardableAttr(kTogetherAttr, builder.getUnitAttr());
  return loop.getResults();
}

/// Writes the results of a tile, as the last thing inside a forall.
void Visits::finish(OpBuilder &b, const QueryTiles &tiles, const QueryTile &at,
                    Value state, ValueRange outputs) {
  SmallVector<Value> places = tiles.places(b, at, outputs);
  SmallVector<Value> results = op.createFinish(b, state, at, places);
  tiles.insert(b, at, results, places, outputs);
}

Value Visits::stateOf(OpBuilder &b, const RowClass &cls,
                      const QueryTiles &tiles, const DataTables &spans,
                      ValueRange ids, QueryTile &at) {
  ReductionShapes here = tiles.shapesAt(b, ids);
  at = tiles.locate(b, ids, here);
  KeyTileLoops loops(op, here, tables, cls, tiles.getTile(),
                     tiles.getNumColumns(), plan.tile.keys);
  return loops.visit(b, at, data.spanAt(b, spans, ids, here));
}

SmallVector<Value> Visits::takeColumns(OpBuilder &b, ValueRange tensors,
                                       int64_t leading,
                                       const StateColumns &columns) const {
  return llvm::map_to_vector(tensors, [&](Value tensor) -> Value {
    // Others are [..., rows].
    int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
    if (!columns.first || rank < leading + 2)
      return tensor;
    SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)),
        sizes = tensor::getMixedSizes(b, loc, tensor),
        strides(rank, b.getIndexAttr(1));
    offsets.back() = columns.first;
    sizes.back() = b.getIndexAttr(columns.size);
    return tensor::ExtractSliceOp::create(b, loc, tensor, offsets, sizes,
                                          strides);
  });
}

Value Visits::withOthers(OpBuilder &b, const QueryTiles &tiles, ValueRange ids,
                         const QueryTile &at, Value state,
                         const PartStates *before,
                         const StateColumns &columns) {
  if (!before)
    return state;
  SmallVector<Value> stored = takeColumns(
      b, before->slicesOfAll(b, loc, ids, at, tiles.getTile().queries),
      /*leading=*/1, columns);
  Value others = op.createMergeStored(b, stored, /*at=*/{}, state.getType());
  return op.createMerge(b, state, others);
}

SmallVector<Value> Visits::visitWhole(const RowClass &cls,
                                      const QueryTiles &tiles,
                                      const DataTables &spans,
                                      ValueRange outputs, bool together,
                                      const PartStates *before) {
  return forall(tiles.getBounds(builder), outputs, together,
                [&](OpBuilder &b, ValueRange args) {
                  QueryTile at;
                  Value state = stateOf(b, cls, tiles, spans, args, at);
                  state = withOthers(b, tiles, args, at, state, before);
                  finish(b, tiles, at, state, args.drop_front(3));
                });
}

SmallVector<Value> Visits::visitMissingRows(const ColumnGroup &columns,
                                            SmallVector<Value> outputs) {
  QueryTiles tiles =
      QueryTiles::ofMissingRows(builder, op, shapes, plan, columns);
  if (tiles.isEmpty())
    return outputs;
  return forall(tiles.getBounds(builder), outputs, /*together=*/false,
                [&](OpBuilder &b, ValueRange args) {
                  QueryTile at = tiles.locate(b, args, tiles.shapesAt(b, args));
                  Value state = op.createInitialState(
                      b, op.getStateType(tiles.getTile(), columns.size));
                  finish(b, tiles, at, state, args.drop_front(3));
                });
}

void Visits::store(const ColumnGroup &columns, int64_t number,
                   PartStates &states) {
  const RowClass &cls = plan.classes.front();
  QueryTiles tiles = tilesOf(columns);
  report(cls, tiles.getTile(), /*parts=*/1);
  DataTables spans = data.findSpans(builder, tiles, plan.hasPackedHeads());
  states.setTensors(forall(
      tiles.getBounds(builder), states.getTensors(), /*together=*/false,
      [&](OpBuilder &b, ValueRange args) {
        QueryTile at;
        Value state = stateOf(b, cls, tiles, spans, args, at);
        Value part = IndexMath{b, loc}.constant(number);
        SmallVector<Value> slices =
            PartStates::slices(b, loc, args.drop_front(3), part, args, at,
                               tiles.getTile().queries);
        insertInParallel(b, loc, op.createStore(b, state, slices), slices);
      }));
}

/// A part of few rows has few warps, and runs beside others: each takes as much
/// shared memory as its steps have keys.
int64_t Visits::stepKeysOfParts(const QueryTiles &tiles) const {
  constexpr int64_t granule = 16;
  int64_t keys = plan.tile.keys;
  bool areFew =
      plan.fewBlocks || tiles.getTile().queries < plan.slots().queries;
  if (options.heavyKeys == 0 || !areFew)
    return keys;
  for (int64_t step = options.heavyKeys; step >= granule; --step)
    if (keys % step == 0 && step % granule == 0)
      return step;
  return keys;
}

/// The states of all parts of a heavy class, as tensors
/// [B, slices of Hq, query tiles, parts, ...].
SmallVector<Value> Visits::emitParts(const RowClass &cls,
                                     const QueryTiles &tiles,
                                     const DataTables &spans) {
  SmallVector<Value> bounds = tiles.getBounds(builder);
  Value count = numParts(cls);
  bounds.push_back(count);
  Type stateType = op.getStateType(tiles.getTile(), tiles.getNumColumns());
  SmallVector<Value> parts;
  for (RankedTensorType type : op.getStateTensorTypes(stateType)) {
    SmallVector<OpFoldResult> sizes = getAsOpFoldResult(bounds);
    for (int64_t size : type.getShape())
      sizes.push_back(builder.getIndexAttr(size));
    parts.push_back(
        tensor::EmptyOp::create(builder, loc, sizes, type.getElementType()));
  }
  return forall(
      bounds, parts, /*together=*/true, [&](OpBuilder &b, ValueRange args) {
        ValueRange ids = args.take_front(3);
        ReductionShapes here = tiles.shapesAt(b, ids);
        QueryTile at = tiles.locate(b, ids, here);
        KeyTileLoops loops(op, here, tables, cls, tiles.getTile(),
                           tiles.getNumColumns(), stepKeysOfParts(tiles));
        Value state = loops.visit(b, at, data.spanAt(b, spans, ids, here),
                                  {/*part=*/args[3], count});
        SmallVector<Value> slices;
        for (Value part : args.drop_front(4))
          slices.push_back(sliceTrailing(b, loc, part, args.take_front(4)));
        SmallVector<Value> stored = op.createStore(b, state, slices);
        insertInParallel(b, loc, stored, slices);
      });
}

/// As many columns of those of a slice as divide it.
ColumnGroup Visits::columnsOfMerge(const ColumnGroup &columns) const {
  constexpr int64_t granule = 8;
  for (int64_t size = options.mergeColumns; size >= granule; size -= granule)
    if (columns.size % size == 0)
      return {columns.first, size, columns.count * (columns.size / size)};
  return columns;
}

/// An iteration has some of the columns of a slice, and merges these alone.
SmallVector<Value> Visits::mergeParts(ArrayRef<RowClass> together,
                                      const QueryTiles &tiles,
                                      const ColumnGroup &columns,
                                      ValueRange parts, ValueRange outputs,
                                      const PartStates *before) {
  QueryTiles merged(builder, op, shapes, together, plan,
                    columnsOfMerge(columns), step);
  int64_t size = merged.getNumColumns(), slices = tiles.getNumColumns() / size;
  return forall(
      merged.getBounds(builder), outputs, /*together=*/false,
      [&](OpBuilder &b, ValueRange args) {
        IndexMath math{b, loc};
        ValueRange place = args.take_front(3);
        QueryTile at = merged.locate(b, place, merged.shapesAt(b, place));
        SmallVector<Value> ids(args.take_front(3));
        StateColumns some = {};
        if (slices > 1) {
          Value count = math.constant(slices);
          Value number = b.createOrFold<arith::RemUIOp>(loc, ids[1], count);
          some = {math.mul(number, size), size};
          ids[1] = b.createOrFold<arith::DivUIOp>(loc, ids[1], count);
        }
        Value state =
            op.createMergeStored(b, takeColumns(b, parts, ids.size() + 1, some),
                                 ids, op.getStateType(merged.getTile(), size));
        state = withOthers(b, merged, ids, at, state, before, some);
        finish(b, merged, at, state, args.drop_front(3));
      });
}
