//===- VisitLoop.cpp - Loops over the visited tiles -----------------------===//

#include "VisitLoop.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

SmallVector<TileRun> transforms::emitRuns(OpBuilder &b, Location loc,
                                          const RowClass &cls,
                                          const TileExprVariables &variables) {
  IndexMath math{b, loc};
  SmallVector<TileRun> runs;
  for (const Segment &segment : cls.segments) {
    Value begin = emitTileExpr(b, loc, segment.begin, variables);
    Value end = emitTileExpr(b, loc, segment.end, variables);
    end = emitEndWhere(b, loc, segment.when, math.max(begin, end), begin,
                       variables);
    runs.push_back({begin, end, segment.full,
                    segment.where ? &*segment.where : nullptr,
                    &segment.layout});
  }
  return runs;
}

//===----------------------------------------------------------------------===//
// Places of lists
//===----------------------------------------------------------------------===//

Value TilesOfList::numberOf(OpBuilder &b, Location loc, Value entry,
                            int64_t number) const {
  Value found = tensor::ExtractOp::create(
      b, loc, table,
      ValueRange{batch, entry, IndexMath{b, loc}.constant(number)});
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), found);
}

Value TilesOfList::countBefore(OpBuilder &b, Location loc, Value tile) const {
  IndexMath math{b, loc};
  Value entry = first ? math.sub(tile, first) : tile;
  Value inside = math.min(math.max(entry, math.constant(0)), numTiles);
  return numberOf(b, loc, inside, 0);
}

Value TilesOfList::tileAt(OpBuilder &b, Location loc, Value place) const {
  Value tile = numberOf(b, loc, place, 1);
  return first ? IndexMath{b, loc}.add(tile, first) : tile;
}

Value TilesOfList::leavesOut(OpBuilder &b, Location loc, Value tile,
                             Value begin, Value end) const {
  IndexMath math{b, loc};
  Value place = countBefore(b, loc, tile);
  Value next = countBefore(b, loc, math.add(tile, math.constant(1)));
  Value isNone = math.compare(arith::CmpIPredicate::eq, next, place);
  Value outside = arith::OrIOp::create(
      b, loc, math.compare(arith::CmpIPredicate::slt, place, begin),
      math.compare(arith::CmpIPredicate::sge, place, end));
  return arith::OrIOp::create(b, loc, isNone, outside);
}

Value TileRun::leavesOut(OpBuilder &b, Location loc, Value tile) const {
  if (list)
    return list.leavesOut(b, loc, tile, begin, end);
  IndexMath math{b, loc};
  Value before = math.compare(arith::CmpIPredicate::slt, tile, begin);
  Value after = math.compare(arith::CmpIPredicate::sge, tile, end);
  return arith::OrIOp::create(b, loc, before, after);
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

VisitSequence::VisitSequence(OpBuilder &b, Location loc,
                             ArrayRef<TileRun> allRuns, TileList list)
    : runs(allRuns), list(list) {
  IndexMath math{b, loc};
  llvm::stable_sort(runs, [](const TileRun &x, const TileRun &y) {
    return !x.list && y.list;
  });
  count = math.constant(0);
  for (const TileRun &run : runs) {
    offsets.push_back(count);
    count = math.add(count, math.sub(run.end, run.begin));
  }
  offsets.push_back(count);
  if (list)
    count = math.add(count, list.count);
}

/// `read` where t is `from` or more, else `otherwise`; null there if t is never
/// less. Lists are read where they own the tile only: elsewhere they may be
/// empty.
static Value readFrom(OpBuilder &b, Location loc, Value t, Value from,
                      Value otherwise,
                      llvm::function_ref<Value(OpBuilder &)> read) {
  if (!otherwise)
    return read(b);
  Value reached = IndexMath{b, loc}.compare(arith::CmpIPredicate::sge, t, from);
  auto branch = scf::IfOp::create(
      b, loc, reached,
      [&](OpBuilder &nested, Location) {
        scf::YieldOp::create(nested, loc, read(nested));
      },
      [&](OpBuilder &nested, Location) {
        scf::YieldOp::create(nested, loc, otherwise);
      });
  return branch.getResult(0);
}

Value VisitSequence::tileOfRuns(OpBuilder &b, Location loc, Value t) const {
  IndexMath math{b, loc};
  Value tile;
  for (auto [index, run] : llvm::enumerate(runs)) {
    // kt = begin_k + (t - offset_k) from the first t that run k owns; empty
    // runs own none, so the last run that starts at or before t is the one.
    Value here = math.add(run.begin, math.sub(t, offsets[index]));
    if (!tile) {
      tile = here;
      continue;
    }
    Value reached = math.compare(arith::CmpIPredicate::sge, t, offsets[index]);
    tile = math.select(reached, here, tile);
  }
  const auto *places =
      llvm::find_if(runs, [](const TileRun &run) { return bool(run.list); });
  if (places == runs.end())
    return tile;
  return readFrom(b, loc, t, offsets[places - runs.begin()],
                  places == runs.begin() ? Value() : tile,
                  [&](OpBuilder &nested) {
                    return places->list.tileAt(nested, loc, tile);
                  });
}

Value VisitSequence::keyTile(OpBuilder &b, Location loc, Value t) const {
  Value tile = tileOfRuns(b, loc, t);
  if (!list)
    return tile;
  return readFrom(
      b, loc, t, offsets.back(), tile, [&](OpBuilder &nested) -> Value {
        Value place = IndexMath{nested, loc}.sub(t, offsets.back());
        return tensor::ExtractOp::create(nested, loc, list.tiles, place);
      });
}
