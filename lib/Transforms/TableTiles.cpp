//===- TableTiles.cpp - The tables of a plan as code ----------------------===//
//
// Tables are constants, which become read-only memory of the module.
//
//===----------------------------------------------------------------------===//

#include "TableTiles.h"
#include "EmitTileExpr.h"
#include "KeyTileLoops.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

Value transforms::emitEntry(OpBuilder &b, Location loc,
                            ArrayRef<int64_t> values, Value place) {
  SmallVector<int32_t> narrow(values.begin(), values.end());
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())},
                                    b.getI32Type());
  Value all = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(narrow)));
  return tensor::ExtractOp::create(b, loc, all, place);
}

Value transforms::emitIndexEntry(OpBuilder &b, Location loc,
                                 ArrayRef<int64_t> values, Value place) {
  return arith::IndexCastUIOp::create(b, loc, b.getIndexType(),
                                      emitEntry(b, loc, values, place));
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

static std::vector<int64_t> sizesOf(const TableBounds::Interval &interval) {
  std::vector<int64_t> sizes;
  for (auto [low, high] :
       llvm::zip_equal(interval.low.fixed, interval.high.fixed))
    sizes.push_back(std::max<int64_t>(high - low, 0));
  return sizes;
}

static bool isSlanted(const TableBounds::Interval &interval) {
  return !interval.low.slanted.empty() || !interval.high.slanted.empty();
}

TableMask::TableMask(OpBuilder &b, Location loc, const TableBounds &bounds,
                     const TileTable &table, int64_t tileRows, Value q,
                     Value firstPosition)
    : bounds(bounds), tileRows(tileRows) {
  IndexMath math{b, loc};
  Value first = math.add(firstPosition, math.constant(table.cuts.front()));
  this->firstPosition =
      b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), first);
  if (!bounds.isOfTiles)
    return;
  // Of a position and not of a row.
  auto slanted = [&](const std::vector<int64_t> &values) -> Value {
    if (values.empty())
      return {};
    return b.createOrFold<arith::SubIOp>(loc, emitEntry(b, loc, values, q),
                                         this->firstPosition);
  };
  for (const TableBounds::Interval &interval : bounds.intervals) {
    TileEnds ends;
    ends.low = emitEntry(b, loc, interval.low.fixed, q);
    if (isSlanted(interval))
      ends.high = emitEntry(b, loc, interval.high.fixed, q);
    else
      ends.size = emitEntry(b, loc, sizesOf(interval), q);
    ends.slantedLow = slanted(interval.low.slanted);
    ends.slantedHigh = slanted(interval.high.slanted);
    ofTile.push_back(ends);
  }
}

std::pair<Value, Value> TableMask::ofRow(OpBuilder &b, Location loc,
                                         const TileEnds &ends, Value i) {
  if (ends.size)
    return {ends.low, ends.size};
  Value low = ends.low, high = ends.high;
  if (ends.slantedLow)
    low = arith::MaxSIOp::create(
        b, loc, low, arith::AddIOp::create(b, loc, i, ends.slantedLow));
  if (ends.slantedHigh)
    high = arith::MinSIOp::create(
        b, loc, high, arith::AddIOp::create(b, loc, i, ends.slantedHigh));
  Value none = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  Value size = arith::SubIOp::create(b, loc, high, low);
  return {low, arith::MaxSIOp::create(b, loc, size, none)};
}

std::pair<Value, Value> TableMask::interval(OpBuilder &b, Location loc,
                                            size_t k, Value i) const {
  if (bounds.isOfTiles)
    return ofRow(b, loc, ofTile[k], i);
  // Rows of a tile that do not exist are asked for, too.
  auto padded = [&](std::vector<int64_t> values) {
    values.insert(values.end(), tileRows, 0);
    return values;
  };
  const TableBounds::Interval &interval = bounds.intervals[k];
  Value row = arith::SubIOp::create(b, loc, i, firstPosition);
  row = arith::IndexCastOp::create(b, loc, b.getIndexType(), row);
  return {emitEntry(b, loc, padded(interval.low.fixed), row),
          emitEntry(b, loc, padded(sizesOf(interval)), row)};
}

Value TableMask::operator()(OpBuilder &b, Location loc, Value i,
                            Value j) const {
  Value any;
  for (size_t k = 0; k < bounds.intervals.size(); ++k) {
    auto [low, size] = interval(b, loc, k, i);
    Value holds =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                              arith::SubIOp::create(b, loc, j, low), size);
    any = any ? arith::OrIOp::create(b, loc, any, holds).getResult() : holds;
  }
  return any ? any : arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
}

RowReach TableMask::reachOf(OpBuilder &b, Location loc, Value t,
                            Value position) const {
  // Four numbers a tile, of which those of full rows are left out where no tile
  // has any.
  bool hasFull = llvm::any_of(bounds.reach, [](const TableBounds::Reach &some) {
    return !some.full.empty();
  });
  std::vector<int64_t> numbers;
  for (const TableBounds::Reach &some : bounds.reach) {
    numbers.insert(numbers.end(), {some.live.begin, some.live.end});
    if (hasFull)
      numbers.insert(numbers.end(), {some.full.begin, some.full.end});
  }
  IndexMath math{b, loc};
  Value place = math.mul(t, hasFull ? 4 : 2);
  Value first =
      b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), position);
  auto row = [&](int64_t k) -> Value {
    Value number =
        emitEntry(b, loc, numbers, math.add(place, math.constant(k)));
    return arith::AddIOp::create(b, loc, first, number);
  };
  RowReach reach = {{row(0), row(1)}, {}};
  if (hasFull)
    reach.full = {row(2), row(3)};
  return reach;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The rows that a query tile has, where one of them has so few that warps of a
/// whole tile have none.
static RowSpan rowsOf(OpBuilder &b, Location loc, const TileTable &table,
                      int64_t tileRows, const QueryTile &at) {
  constexpr int64_t rowsOfWarp = 16;
  bool areFew = llvm::any_of(llvm::seq(table.numQueryTiles()), [&](int64_t q) {
    return table.rowsOf(q).size() <= tileRows - rowsOfWarp;
  });
  if (!areFew)
    return {};
  auto narrow = [&](Value x) {
    return b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), x);
  };
  return {narrow(at.position),
          narrow(IndexMath{b, loc}.add(at.position, at.rows))};
}

Value KeyTileLoops::stepOfTable(OpBuilder &b, const QueryTile &at,
                                const DataSpan &data, ValueRange queryOperands,
                                Value t, bool full, const TableMask *mask,
                                const RowSpan &rows, Value state) {
  IndexMath math{b, loc};
  KeyTile keys;
  keys.key = emitIndexEntry(b, loc, cls.table.starts, t);
  keys.size = tile.keys;
  keys.rows = math.constant(tile.keys);
  if (!full && mayBeRagged())
    keys.rows = math.min(keys.rows, math.sub(shapes.numKeys, keys.key));
  if (!full && mask) {
    keys.reach = mask->reachOf(b, loc, t, at.position);
    return op.createStep(b, state, queryOperands, at, keys, *mask);
  }
  if (full)
    keys.reach.live = rows;
  const Layout contiguous;
  return step(b, at, data, queryOperands, keys,
              {full, /*where=*/nullptr, &contiguous}, state);
}

Value KeyTileLoops::visitTable(OpBuilder &b, const QueryTile &at,
                               const DataSpan &data, ValueRange queryOperands,
                               Value state) {
  IndexMath math{b, loc};
  const TileTable &table = cls.table;
  std::optional<TableMask> mask;
  if (tableBounds)
    mask.emplace(b, loc, *tableBounds, table, tile.queries, at.tile,
                 shapes.firstPosition);
  RowSpan rows = rowsOf(b, loc, table, tile.queries, at);
  // Partial tiles come first.
  for (bool full : {false, true}) {
    auto isEmpty = [&](int64_t q) {
      return (full ? table.fullOf(q) : table.partialOf(q)).empty();
    };
    if (llvm::all_of(llvm::seq(table.numQueryTiles()), isEmpty))
      continue;
    Value list = math.add(math.mul(at.tile, 2), math.constant(full));
    Value begin = emitIndexEntry(b, loc, table.offsets, list);
    Value end =
        emitIndexEntry(b, loc, table.offsets, math.add(list, math.constant(1)));
    auto loop = scf::ForOp::create(
        b, loc, begin, end, math.constant(1), state,
        [&](OpBuilder &nested, Location, Value t, ValueRange carried) {
          Value next =
              stepOfTable(nested, at, data, queryOperands, t, full,
                          mask ? &*mask : nullptr, rows, carried.front());
          scf::YieldOp::create(nested, loc, next);
        });
    state = loop.getResult(0);
  }
  return state;
}
