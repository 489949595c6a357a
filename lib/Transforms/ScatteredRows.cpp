//===- ScatteredRows.cpp - Rows that are no neighbours --------------------===//
//
// Of row m of a tile, whose slot stands at position p, and rows at positions
// from f on and before f + Sq:
//
//   positions[m]    = p, or the nearest of these      for the mask
//   sources[m]      = positions[m] - f                for the queries
//   destinations[m] = p - f, or -1 past the class     for the results
//                     or the sequence's last row
//
// No two slots stand at one position, so that no row is written twice.
//
//===----------------------------------------------------------------------===//

#include "ScatteredRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

namespace {
/// i32 arithmetic on each number of a tensor.
struct EachRow {
  OpBuilder &b;
  Location loc;
  /// What a row comes to, by its number in the tile and its element.
  using RowFn = function_ref<Value(OpBuilder &, Value number, Value element)>;

  Value constant(OpBuilder &nested, int32_t value) const {
    return arith::ConstantOp::create(nested, loc,
                                     nested.getI32IntegerAttr(value));
  }
  Value narrow(OpBuilder &nested, Value index) const {
    return nested.createOrFold<arith::IndexCastOp>(loc, nested.getI32Type(),
                                                   index);
  }
  Value map(Value numbers, RowFn body) const;
};
} // namespace

Value EachRow::map(Value numbers, RowFn body) const {
  auto type = cast<RankedTensorType>(numbers.getType());
  Value empty =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(1));
  SmallVector<utils::IteratorType> iterators = {utils::IteratorType::parallel};
  return linalg::GenericOp::create(
             b, loc, type, numbers, empty, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               Value number = narrow(
                   nested, linalg::IndexOp::create(nested, loc, /*dim=*/0));
               linalg::YieldOp::create(nested, loc,
                                       body(nested, number, args[0]));
             })
      .getResult(0);
}

void transforms::setScatteredRows(OpBuilder &b, Location loc, Value positions,
                                  const SlotLimits &limits, QueryTile &at) {
  EachRow each{b, loc};
  Value first = each.narrow(b, limits.firstPosition);
  auto fromFirst = [&](Value numbers) {
    if (getConstantIntValue(limits.firstPosition) == int64_t(0))
      return numbers;
    return each.map(numbers, [&](OpBuilder &nested, Value, Value position) {
      return arith::SubIOp::create(nested, loc, position, first).getResult();
    });
  };
  if (!limits.numQueries) {
    at.positions = positions;
    at.sources = at.destinations = fromFirst(positions);
    return;
  }
  Value one = each.constant(b, 1);
  Value end = b.createOrFold<arith::AddIOp>(loc, first,
                                            each.narrow(b, limits.numQueries));
  Value last = b.createOrFold<arith::SubIOp>(loc, end, one);
  // A sequence may have no row; its tensors have one to read.
  if (!limits.areRowsOfTensor)
    last = b.createOrFold<arith::MaxSIOp>(loc, last, first);
  at.positions =
      each.map(positions, [&](OpBuilder &nested, Value, Value position) {
        Value least = arith::MaxSIOp::create(nested, loc, position, first);
        return arith::MinSIOp::create(nested, loc, least, last).getResult();
      });
  at.sources = fromFirst(at.positions);
  Value slots = each.narrow(b, limits.slots);
  at.destinations =
      each.map(positions, [&](OpBuilder &nested, Value number, Value position) {
        Value row = arith::SubIOp::create(nested, loc, position, first);
        Value isOfClass = arith::CmpIOp::create(
            nested, loc, arith::CmpIPredicate::slt, number, slots);
        if (!limits.areRowsOfTensor) {
          Value exists = arith::CmpIOp::create(
              nested, loc, arith::CmpIPredicate::slt, position, end);
          isOfClass = arith::AndIOp::create(nested, loc, isOfClass, exists);
        }
        return arith::SelectOp::create(nested, loc, isOfClass, row,
                                       each.constant(nested, -1))
            .getResult();
      });
}

static bool hasColumns(Value output) {
  return cast<RankedTensorType>(output.getType()).getRank() > 3;
}

SmallVector<Value> transforms::makeScatteredResults(OpBuilder &b, Location loc,
                                                    const QueryTile &at,
                                                    ValueRange outputs,
                                                    int64_t columns) {
  int64_t rows =
      cast<RankedTensorType>(at.destinations.getType()).getDimSize(0);
  return llvm::map_to_vector(outputs, [&](Value output) -> Value {
    auto type = cast<RankedTensorType>(output.getType());
    SmallVector<int64_t> shape = {rows};
    llvm::append_range(shape, type.getShape().drop_front(3));
    if (at.column && hasColumns(output))
      shape.back() = columns;
    return tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  });
}

/// The destinations in the slice of the first columns, and none in others.
static Value ofFirstSlice(OpBuilder &b, Location loc, const QueryTile &at) {
  EachRow each{b, loc};
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value isFirst = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq,
                                                at.column, zero);
  return each.map(at.destinations, [&](OpBuilder &nested, Value, Value row) {
    return arith::SelectOp::create(nested, loc, isFirst, row,
                                   each.constant(nested, -1))
        .getResult();
  });
}

void transforms::scatterInParallel(OpBuilder &b, Location loc,
                                   const QueryTile &at, ValueRange results,
                                   ValueRange outputs) {
  SmallVector<Value> rows = llvm::map_to_vector(outputs, [&](Value output) {
    return at.column && !hasColumns(output) ? ofFirstSlice(b, loc, at)
                                            : at.destinations;
  });
  auto terminator = scf::InParallelOp::create(b, loc);
  b.setInsertionPointToStart(terminator.getBody());
  for (auto [result, output, row] : llvm::zip(results, outputs, rows))
    ScatterRowsOp::create(b, loc, result, output, ValueRange{at.batch, at.head},
                          hasColumns(output) ? at.column : Value(), row);
}
