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

static std::vector<int64_t> sizesOf(const TableBounds &bounds, size_t k) {
  std::vector<int64_t> sizes;
  for (auto [low, high] : llvm::zip_equal(bounds.low[k], bounds.high[k]))
    sizes.push_back(high - low);
  return sizes;
}

TableMask::TableMask(OpBuilder &b, Location loc, const TableBounds &bounds,
                     const TileTable &table, int64_t tileRows, Value q,
                     Value firstPosition)
    : bounds(bounds), tileRows(tileRows) {
  IndexMath math{b, loc};
  Value first = math.add(firstPosition, math.constant(table.cuts.front()));
  this->firstPosition =
      arith::IndexCastOp::create(b, loc, b.getI32Type(), first);
  if (!bounds.isOfTiles)
    return;
  for (size_t k = 0; k < bounds.numIntervals(); ++k)
    ofTile.push_back({emitEntry(b, loc, bounds.low[k], q),
                      emitEntry(b, loc, sizesOf(bounds, k), q)});
}

std::pair<Value, Value> TableMask::interval(OpBuilder &b, Location loc,
                                            size_t k, Value i) const {
  if (bounds.isOfTiles)
    return ofTile[k];
  // Rows of a tile that do not exist are asked for, too.
  auto padded = [&](std::vector<int64_t> values) {
    values.insert(values.end(), tileRows, 0);
    return values;
  };
  Value row = arith::SubIOp::create(b, loc, i, firstPosition);
  row = arith::IndexCastOp::create(b, loc, b.getIndexType(), row);
  return {emitEntry(b, loc, padded(bounds.low[k]), row),
          emitEntry(b, loc, padded(sizesOf(bounds, k)), row)};
}

Value TableMask::operator()(OpBuilder &b, Location loc, Value i,
                            Value j) const {
  Value any;
  for (size_t k = 0; k < bounds.numIntervals(); ++k) {
    auto [low, size] = interval(b, loc, k, i);
    Value holds =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                              arith::SubIOp::create(b, loc, j, low), size);
    any = any ? arith::OrIOp::create(b, loc, any, holds).getResult() : holds;
  }
  return any ? any : arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Value KeyTileLoops::visitTable(OpBuilder &b, const QueryTile &at,
                               ValueRange queryOperands, Value state) {
  IndexMath math{b, loc};
  const TileTable &table = cls.table;
  const Layout contiguous;
  std::optional<TableMask> mask;
  if (tableBounds)
    mask.emplace(b, loc, *tableBounds, table, tile.queries, at.tile,
                 shapes.firstPosition);
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
          IndexMath inner{nested, loc};
          KeyTile keys;
          keys.key = emitIndexEntry(nested, loc, table.starts, t);
          keys.size = tile.keys;
          keys.rows = inner.constant(tile.keys);
          if (!full && mayBeRagged())
            keys.rows =
                inner.min(keys.rows, inner.sub(shapes.numKeys, keys.key));
          Value next;
          if (full || !mask)
            next =
                step(nested, at, queryOperands, keys,
                     {full, /*where=*/nullptr, &contiguous}, carried.front());
          else
            next = op.createStep(nested, carried.front(), queryOperands, at,
                                 keys, *mask);
          scf::YieldOp::create(nested, loc, next);
        });
    state = loop.getResult(0);
  }
  return state;
}
