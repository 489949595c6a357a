//===- ScatteredRows.cpp - Results of slots to their rows -----------------===//
//
//   forall (batch b, query head h, slot x)
//     r = the row at the position of slot x
//     outputs[b, h, r] = results[b, h, x]
//
// Slots stand at different positions, so that no row is written twice.
//
//===----------------------------------------------------------------------===//

#include "ScatteredRows.h"
#include "RandomTables.h"
#include "VisitTiles.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

SmallVector<Value> transforms::makeSlotResults(OpBuilder &b, Location loc,
                                               const QueryTiles &tiles,
                                               ValueRange outputs) {
  return llvm::map_to_vector(outputs, [&](Value output) -> Value {
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, output);
    sizes[2] = getAsOpFoldResult(tiles.getNumPaddedSlots(b));
    Type element = cast<RankedTensorType>(output.getType()).getElementType();
    return tensor::EmptyOp::create(b, loc, sizes, element);
  });
}

namespace {
/// A row of the results, and how many of it there are: one or none.
struct Row {
  Value index, count;
};
} // namespace

/// True when all slots are certainly rows.
static bool areAllRows(const ReductionShapes &shapes, const QueryTiles &tiles) {
  std::optional<int64_t> first = getConstantIntValue(shapes.firstPosition);
  std::optional<int64_t> queries = getConstantIntValue(shapes.numQueries);
  std::optional<int64_t> firstSlot = getConstantIntValue(tiles.getFirstSlot());
  std::optional<int64_t> slots = getConstantIntValue(tiles.getNumSlots());
  if (!first || !queries || !firstSlot || !slots || *slots == 0)
    return false;
  // They stand at ascending positions.
  const Layout &layout = *tiles.getLayout();
  return layout.position(*firstSlot) >= *first &&
         layout.position(*firstSlot + *slots - 1) < *first + *queries;
}

static Row rowOf(OpBuilder &b, Location loc, const ReductionShapes &shapes,
                 const QueryTiles &tiles, Value slot) {
  IndexMath math{b, loc};
  Value one = math.constant(1), zero = math.constant(0);
  Value row = math.sub(tiles.positionOf(b, slot), shapes.firstPosition);
  if (areAllRows(shapes, tiles))
    return {row, one};
  Value inside =
      math.min(math.max(row, zero), math.sub(shapes.numQueries, one));
  Value exists = math.compare(arith::CmpIPredicate::eq, row, inside);
  return {inside, math.select(exists, one, zero)};
}

/// The slice [count, ...] of source[b, h] from `row` on, of the columns that
/// `tiles` computes.
static Value sliceOf(OpBuilder &b, Location loc, const QueryTiles &tiles,
                     Value source, ValueRange lead, Value row, Value count) {
  bool hasColumns = cast<ShapedType>(source.getType()).getRank() > 3;
  Value column;
  ColumnGroup columns = tiles.getColumns();
  if (hasColumns && !tiles.hasAllColumns())
    column = IndexMath{b, loc}.constant(columns.first);
  return sliceTile(b, loc, source, SmallVector<Value>(lead), row, count, column,
                   columns.size * columns.count);
}

SmallVector<Value> transforms::scatterRows(OpBuilder &b, Location loc,
                                           const ReductionShapes &shapes,
                                           const QueryTiles &tiles,
                                           ValueRange results,
                                           ValueRange outputs) {
  SmallVector<Value> bounds = {shapes.batch, shapes.queryHeads,
                               tiles.getNumSlots()};
  auto loop = scf::ForallOp::create(
      b, loc, getAsOpFoldResult(bounds), outputs, std::nullopt,
      [&](OpBuilder &nested, Location, ValueRange args) {
        ValueRange lead = args.take_front(2);
        Row row = rowOf(nested, loc, shapes, tiles, args[2]);
        SmallVector<Value> copies, places;
        for (auto [result, output] : llvm::zip(results, args.drop_front(3))) {
          Value from =
              sliceOf(nested, loc, tiles, result, lead, args[2], row.count);
          places.push_back(
              sliceOf(nested, loc, tiles, output, lead, row.index, row.count));
          copies.push_back(
              linalg::CopyOp::create(nested, loc, from, places.back())
                  .getResult(0));
        }
        insertInParallel(nested, loc, copies, places);
      });
  markAsGrid(loop);
  return loop.getResults();
}
