//===- VisitMerge.cpp - A merge as loops over tiles -----------------------===//
//
//   forall (batch b, query head h, tile of rows)
//     for some of the columns at a time
//       state = merge(state of the first result, state of the second)
//       results = finish(state)
//
//===----------------------------------------------------------------------===//

#include "EmitTileExpr.h"
#include "RandomTables.h"
#include "VisitTiles.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

/// Rows of a tile: those of four warps.
constexpr int64_t kRows = 64;
/// Columns at a time. A thread of a GPU holds three tiles of them.
constexpr int64_t kColumns = 64;

/// Some columns of a tile.
static Value takeColumns(OpBuilder &b, Location loc, Value tile, int64_t first,
                         int64_t size) {
  if (cast<RankedTensorType>(tile.getType()).getDimSize(1) == size)
    return tile;
  SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0),
                                       b.getIndexAttr(first)},
                            sizes = {tensor::getMixedSize(b, loc, tile, 0),
                                     b.getIndexAttr(size)},
                            strides(2, b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, loc, tile, offsets, sizes, strides);
}

/// The tile that `columns` was taken from, with `result` in their place.
static Value putColumns(OpBuilder &b, Location loc, Value result, Value columns,
                        Value tile) {
  if (columns == tile)
    return result;
  auto from = columns.getDefiningOp<tensor::ExtractSliceOp>();
  return tensor::InsertSliceOp::create(
      b, loc, result, tile, from.getMixedOffsets(), from.getMixedSizes(),
      from.getMixedStrides());
}

/// What one block makes of the rows `inputs` (O1, LSE1, O2, LSE2), in the place
/// of `places`. The log-sum-exp comes with the first columns.
static SmallVector<Value> mergeTile(OpBuilder &b, Location loc, int64_t rows,
                                    ValueRange inputs, ValueRange places) {
  auto type = cast<RankedTensorType>(places[0].getType());
  FloatAttr scale = b.getF64FloatAttr(1.0);
  Value output = places[0], lse;
  for (int64_t first = 0; first < type.getDimSize(1); first += kColumns) {
    int64_t size = std::min(kColumns, type.getDimSize(1) - first);
    auto stateType =
        StateType::get(b.getContext(), rows, size, type.getElementType());
    auto stateOf = [&](Value result, Value itsLse) -> Value {
      return ResultStateOp::create(
          b, loc, stateType, takeColumns(b, loc, result, first, size), itsLse);
    };
    Value x = stateOf(inputs[0], inputs[1]), y = stateOf(inputs[2], inputs[3]);
    Value merged = MergeStatesOp::create(b, loc, stateType, x, y, scale);
    Value columns = takeColumns(b, loc, output, first, size);
    Value lsePlace = lse ? Value() : places[1];
    auto finish = FinishOp::create(b, loc, columns.getType(),
                                   lsePlace ? lsePlace.getType() : Type(),
                                   merged, columns, lsePlace, scale,
                                   /*sink=*/Value());
    output = putColumns(b, loc, finish.getOutput(), columns, output);
    if (!lse)
      lse = finish.getLse();
  }
  return {output, lse};
}

/// The rows of a tile: fewer where no query needs more.
static int64_t chooseRows(RankedTensorType type) {
  if (type.isDynamicDim(2))
    return kRows;
  constexpr int64_t granule = 16;
  return std::min<int64_t>(kRows, llvm::alignTo<granule>(type.getDimSize(2)));
}

SmallVector<Value> transforms::visitMerge(MergeOp op) {
  auto type = cast<RankedTensorType>(op.getOutputInit().getType());
  if (llvm::is_contained(type.getShape(), 0))
    return op.getDpsInits();
  OpBuilder builder(op);
  Location loc = op.getLoc();
  IndexMath math{builder, loc};
  SmallVector<Value> bounds = llvm::map_to_vector(
      tensor::getMixedSizes(builder, loc, op.getOutputInit()),
      [&](OpFoldResult size) {
        return getValueOrCreateConstantIndexOp(builder, loc, size);
      });
  bounds.pop_back();
  Value queries = bounds.back();
  int64_t rows = chooseRows(type);
  bool areWhole = !type.isDynamicDim(2) && type.getDimSize(2) % rows == 0;
  bounds.back() = math.ceilDiv(queries, rows);
  auto loop = scf::ForallOp::create(
      builder, loc, getAsOpFoldResult(bounds), op.getDpsInits(), std::nullopt,
      [&](OpBuilder &b, Location, ValueRange args) {
        IndexMath at{b, loc};
        Value row = at.mul(args[2], rows);
        Value count = areWhole
                          ? at.constant(rows)
                          : at.min(at.sub(queries, row), at.constant(rows));
        auto rowsOf = [&](Value source) {
          return sliceRows(b, loc, source, {args[0], args[1]}, row, count);
        };
        SmallVector<Value> inputs =
            llvm::map_to_vector(op.getDpsInputs(), rowsOf);
        SmallVector<Value> places =
            llvm::map_to_vector(args.drop_front(3), rowsOf);
        insertInParallel(b, loc, mergeTile(b, loc, rows, inputs, places),
                         places);
      });
  markAsGrid(loop);
  return loop.getResults();
}
