//===- ListedTiles.cpp - The key tiles of a query tile's listed tokens ----===//

#include "ListedTiles.h"
#include "RandomTables.h"
#include "SlotTiles.h"
#include "VisitTiles.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

using Compare = arith::CmpIPredicate;

SmallVector<TileRun> ListedSpan::select(OpBuilder &b, Location loc,
                                        const TileRun &run,
                                        const plan::Within &within) const {
  IndexMath math{b, loc};
  SmallVector<TileRun> runs;
  auto add = [&](Value begin, Value end, const TilesOfList &list) {
    runs.push_back(
        {begin, end, /*full=*/false, /*where=*/nullptr, run.layout, list});
  };
  if (within.listedRows)
    add(run.begin, math.select(hasRow, run.end, run.begin), {});
  if (!within.listedKeys)
    return runs;
  Value begin = keyTiles.countBefore(b, loc, run.begin);
  Value end = keyTiles.countBefore(b, loc, run.end);
  add(begin, within.listedRows ? math.select(hasRow, begin, end) : end,
      keyTiles);
  return runs;
}

namespace {
/// i64 arithmetic.
struct WordMath {
  OpBuilder &b;
  Location loc;

  Value constant(int64_t value) const {
    return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  }
  Value widen(Value x) const {
    return arith::ExtUIOp::create(b, loc, b.getI64Type(), x);
  }
};
} // namespace

/// Positions whose marks are the bits of one number.
constexpr int64_t kWord = 64;

/// The marks of the first kWord positions from `first` on, or of `count` if
/// that is less, as bits of an i64. Tokens that are no positions of the
/// sequence mark none.
static Value findMarks(OpBuilder &b, Location loc, Value tokens, Value batch,
                       Value first, Value count, Value numKeys) {
  IndexMath math{b, loc};
  IntMath ints{b, loc};
  WordMath words{b, loc};
  Value none = ints.constant(0), noBit = words.constant(0),
        bit = words.constant(1);
  Value one = math.constant(1);
  Value numTokens = tensor::DimOp::create(b, loc, tokens, one);
  Value last = ints.min(count, ints.constant(kWord));
  auto loop = scf::ForOp::create(
      b, loc, math.constant(0), numTokens, one, noBit,
      [&](OpBuilder &nested, Location, Value g, ValueRange carried) {
        IntMath inner{nested, loc};
        Value token = tensor::ExtractOp::create(nested, loc, tokens,
                                                ValueRange{batch, g});
        Value place = arith::SubIOp::create(nested, loc, token, first);
        Value exists = inner.both(inner.compare(Compare::sge, token, none),
                                  inner.compare(Compare::slt, token, numKeys));
        Value isHere = inner.both(inner.compare(Compare::sge, place, none),
                                  inner.compare(Compare::slt, place, last));
        Value marks = inner.both(exists, isHere);
        Value by =
            WordMath{nested, loc}.widen(inner.select(marks, place, none));
        Value mark = inner.select(
            marks, arith::ShLIOp::create(nested, loc, bit, by), noBit);
        scf::YieldOp::create(
            nested, loc,
            Value(arith::OrIOp::create(nested, loc, carried.front(), mark)));
      });
  return loop.getResult(0);
}

/// Marks those of some positions that `tokens` lists with 1 in `destination`,
/// and all others with 0; also whether there is one, an i32. Each mark is
/// written once: threads of a block that do the same need no order then.
static std::pair<Value, Value> markTokens(OpBuilder &b, Location loc,
                                          Value tokens, const Positions &at,
                                          Value destination) {
  IndexMath math{b, loc};
  IntMath ints{b, loc};
  Value one = math.constant(1);
  Value first = ints.fromIndex(at.first), count = ints.fromIndex(at.count),
        numKeys = ints.fromIndex(at.here.numKeys);
  auto loop = scf::ForOp::create(
      b, loc, math.constant(0), math.constant(llvm::divideCeil(at.all, kWord)),
      one, ValueRange{ints.constant(0), destination},
      [&](OpBuilder &nested, Location, Value number, ValueRange carried) {
        IndexMath index{nested, loc};
        IntMath inner{nested, loc};
        Value begin = index.mul(number, kWord);
        Value before = inner.fromIndex(begin);
        Value marks = findMarks(
            nested, loc, tokens, at.batch,
            arith::AddIOp::create(nested, loc, first, before),
            arith::SubIOp::create(nested, loc, count, before), numKeys);
        WordMath words{nested, loc};
        Value isAny = inner.compare(Compare::ne, marks, words.constant(0));
        Value any = inner.select(isAny, inner.constant(1), carried[0]);
        Value end = index.min(index.constant(kWord),
                              index.sub(index.constant(at.all), begin));
        auto written = scf::ForOp::create(
            nested, loc, index.constant(0), end, one, carried[1],
            [&](OpBuilder &body, Location, Value t, ValueRange all) {
              Value by =
                  arith::IndexCastOp::create(body, loc, body.getI64Type(), t);
              Value bits = arith::ShRUIOp::create(body, loc, marks, by);
              Value mark = arith::AndIOp::create(
                  body, loc,
                  arith::TruncIOp::create(body, loc, body.getI32Type(), bits),
                  IntMath{body, loc}.constant(1));
              Value filled =
                  tensor::InsertOp::create(body, loc, mark, all.front(),
                                           IndexMath{body, loc}.add(begin, t));
              scf::YieldOp::create(body, loc, filled);
            });
        scf::YieldOp::create(nested, loc,
                             ValueRange{any, written.getResult(0)});
      });
  return {loop.getResult(0), loop.getResult(1)};
}

ListedTiles::ListedTiles(OpBuilder &b, MaskedReductionOpInterface op,
                         const ReductionShapes &shapes, const plan::Plan &plan)
    : loc(op.getLoc()), tokens(op.getDataOperand(kGlobalTokens)) {
  table.size = plan.tile.keys;
  if (!tokens)
    return;
  numTiles = numTilesOfSlots(b, loc, shapes, table.size);
  fill(b, shapes);
  numberTiles(b, shapes);
}

void ListedTiles::fill(OpBuilder &b, const ReductionShapes &shapes) {
  int64_t keys = table.size;
  table = makeTable(
      b, loc, shapes.batch, numTiles, /*count=*/1, keys,
      [&](OpBuilder &nested, ValueRange ids, Value place) {
        IndexMath math{nested, loc};
        ReductionShapes here = shapes.ofBatch(nested, loc, ids[0]);
        Value tile = ids[1];
        if (Value before = firstTileOfSlots(nested, loc, here, keys))
          tile = math.add(tile, before);
        Positions at = {math.add(ids[0], shapes.batchOrigin),
                        math.mul(tile, keys), math.constant(keys), here, keys};
        auto [any, marks] = markTokens(nested, loc, tokens, at, place);
        return std::pair(SmallVector<Value>{any}, Ids{{}, {}, {}, marks});
      });
}

/// Each entry is found by a look at all tiles of its sequence, without
/// another's help.
void ListedTiles::numberTiles(OpBuilder &b, const ReductionShapes &shapes) {
  IndexMath math{b, loc};
  SmallVector<OpFoldResult> bounds =
      getAsOpFoldResult({shapes.batch, math.add(numTiles, math.constant(1))});
  Value empty = tensor::EmptyOp::create(
      b, loc, ArrayRef<OpFoldResult>{bounds[0], bounds[1], b.getIndexAttr(2)},
      b.getI32Type());
  auto forall = scf::ForallOp::create(
      b, loc, bounds, empty, std::nullopt,
      [&](OpBuilder &nested, Location, ValueRange args) {
        IntMath ints{nested, loc};
        IndexMath inner{nested, loc};
        Value zero = ints.constant(0), entry = ints.fromIndex(args[1]);
        auto loop = scf::ForOp::create(
            nested, loc, inner.constant(0), numTiles, inner.constant(1),
            ValueRange{zero, zero, zero},
            [&](OpBuilder &body, Location, Value tile, ValueRange carried) {
              IntMath math{body, loc};
              Value isListed = tensor::ExtractOp::create(
                  body, loc, table.numbers,
                  ValueRange{args[0], tile, IndexMath{body, loc}.constant(0)});
              Value number = math.fromIndex(tile);
              Value isBefore = math.compare(Compare::slt, number, entry);
              Value before = arith::AddIOp::create(
                  body, loc, carried[0], math.select(isBefore, isListed, zero));
              Value isIt =
                  math.both(math.compare(Compare::eq, carried[1], entry),
                            math.compare(Compare::ne, isListed, zero));
              Value count =
                  arith::AddIOp::create(body, loc, carried[1], isListed);
              scf::YieldOp::create(
                  body, loc,
                  ValueRange{before, count,
                             math.select(isIt, number, carried[2])});
            });
        Value row = sliceTrailing(nested, loc, args[2], args.take_front(2));
        Value filled = row;
        SmallVector<Value, 2> numbers = {loop.getResult(0), loop.getResult(2)};
        for (auto [k, number] : llvm::enumerate(numbers))
          filled = tensor::InsertOp::create(nested, loc, number, filled,
                                            inner.constant(k));
        insertInParallel(nested, loc, filled, row);
      });
  markAsGrid(forall);
  places = forall.getResult(0);
}

DocumentTable ListedTiles::markRows(OpBuilder &b, const QueryTiles &tiles,
                                    bool hasPackedHeads) const {
  if (!tokens)
    return {};
  SmallVector<Value> bounds = tiles.getBounds(b);
  int64_t size = hasPackedHeads ? 1 : tiles.getTile().queries;
  return makeTable(
      b, loc, bounds[0], bounds[2], /*count=*/1, size,
      [&](OpBuilder &nested, ValueRange ids, Value place) {
        IndexMath math{nested, loc};
        SmallVector<Value, 3> all = {ids[0], math.constant(0), ids[1]};
        ReductionShapes here = tiles.shapesAt(nested, all);
        QueryTile tile = tiles.locate(nested, all, here);
        Positions at = {math.add(tile.batch, tile.batchOrigin), tile.position,
                        hasPackedHeads ? math.constant(1) : tile.rows, here,
                        size};
        auto [any, marks] = markTokens(nested, loc, tokens, at, place);
        return std::pair(SmallVector<Value>{any}, Ids{{}, {}, {}, marks});
      });
}

ListedSpan ListedTiles::spanAt(OpBuilder &b, const DocumentTable &rows,
                               ValueRange ids,
                               const ReductionShapes &here) const {
  if (!rows)
    return {};
  IndexMath math{b, loc};
  IntMath ints{b, loc};
  Value any = tensor::ExtractOp::create(
      b, loc, rows.numbers, ValueRange{ids[0], ids[2], math.constant(0)});
  TilesOfList keyTiles = {places, ids[0], numTiles,
                          firstTileOfSlots(b, loc, here, table.size)};
  return {keyTiles, ints.compare(Compare::ne, any, ints.constant(0)), rows.ids,
          table.ids};
}
