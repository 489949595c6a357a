//===- DistributeProducts.cpp - Products and reductions -------------------===//

#include "Distribution.h"
#include "Form/TileForm.h"
#include "Fragments/PendingSums.h"
#include "Fragments/Progression.h"
#include "Products/Products.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static Value join(OpBuilder &b, Location loc, vector::CombiningKind kind,
                  Value x, Value y) {
  return vector::makeArithReduction(b, loc, kind, x, y);
}

/// Whether a predicate holds for all rows or elements of a tile: for all of the
/// thread's, and then for those of all threads by a barrier.
LogicalResult Distribution::agreement(vector::MultiDimReductionOp op) {
  Location loc = op.getLoc();
  Fragment fragment = complete(op.getSource());
  Value mine = fragment.lanes;
  if (isVector(mine))
    mine =
        vector::ReductionOp::create(b, loc, vector::CombiningKind::AND, mine);
  mine = arith::ExtUIOp::create(b, loc, b.getI32Type(), mine);
  auto kind = NVVM::BarrierReductionAttr::get(b.getContext(),
                                              NVVM::BarrierReduction::AND);
  Value all = NVVM::BarrierOp::create(b, loc, TypeRange{b.getI32Type()},
                                      /*barrierId=*/Value(),
                                      /*numberOfThreads=*/Value(), kind, mine)
                  .getResult(0);
  Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  all = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, all, zero);
  op.getResult().replaceAllUsesWith(
      b.createOrFold<arith::AndIOp>(loc, op.getAcc(), all));
  return success();
}

LogicalResult Distribution::reduction(vector::MultiDimReductionOp op) {
  if (op.getType().isInteger(1) && op.getKind() == vector::CombiningKind::AND)
    return agreement(op);
  if (op.getReductionDims() != ArrayRef<int64_t>{1} ||
      op.getSourceVectorType().getRank() != 2)
    return emitNotInForm(op);
  Location loc = op.getLoc();
  vector::CombiningKind kind = op.getKind();
  VectorType source = op.getSourceVectorType();
  int64_t columns = source.getDimSize(1);
  Value tile = expanded(op.getSource(), {true, true}, source);
  // Within the thread: four elements of every group of 8 columns at a time,
  // then the two of a row.
  SmallVector<Value> parts;
  for (int64_t band = 0; band < threads.bands(source.getDimSize(0)); ++band) {
    Value four;
    for (int64_t c = 0; c < columns / 8; ++c) {
      int64_t first = (band * columns / 8 + c) * 4;
      Value next =
          shuffle(b, loc, tile, {first, first + 1, first + 2, first + 3});
      four = four ? join(b, loc, kind, four, next) : next;
    }
    auto all = vector::ToElementsOp::create(b, loc, four);
    for (int64_t half : {0, 1})
      parts.push_back(join(b, loc, kind, all.getResult(2 * half),
                           all.getResult(2 * half + 1)));
  }
  auto type = VectorType::get({static_cast<int64_t>(parts.size())},
                              source.getElementType());
  Value lanes = vector::FromElementsOp::create(b, loc, type, parts);
  Extent rows{true, false};
  Fragment accumulator = fragmentOf(op.getAcc());
  // The lanes' sums can be added later: once, after the last tile.
  if (kind == vector::CombiningKind::ADD &&
      (accumulator.isPendingSum || isZero(op.getAcc()))) {
    if (accumulator.isPendingSum)
      lanes = join(b, loc, kind, accumulator.lanes, lanes);
    setLanes(op.getResult(), rows, lanes, /*isPendingSum=*/true);
    return success();
  }
  lanes =
      reduceOverQuad(b, loc, lanes, [&](OpBuilder &nested, Value x, Value y) {
        return join(nested, loc, kind, x, y);
      });
  Value start =
      expanded(op.getAcc(), rows, cast<VectorType>(op.getAcc().getType()));
  setLanes(op.getResult(), rows, join(b, loc, kind, start, lanes));
  return success();
}

LogicalResult Distribution::product(vector::ContractionOp op) {
  if (!isMatrixProduct(op))
    return emitNotInForm(op);
  Fragment right = fragmentOf(op.getRhs());
  if (!right.staged.pointer)
    return op.emitOpError("takes no right operand from shared memory; run "
                          "'sparse-attn-stage-operands' first");
  bool rightIsTransposed = op.getIndexingMapsArray()[1].getResult(1) ==
                           op.getIndexingMapsArray()[0].getResult(1);
  auto result = cast<VectorType>(op.getResultType());
  VectorType left = op.getLhsType();
  Fragment leftTile = fragmentOf(op.getLhs());
  if (!leftTile.staged.pointer)
    leftTile.lanes = expanded(op.getLhs(), {true, true}, left);
  bool startsFromZero = isZero(op.getAcc());
  Product product{expanded(op.getAcc(), {true, true}, result),
                  leftTile,
                  right.staged,
                  rightIsTransposed,
                  result.getDimSize(0),
                  result.getDimSize(1),
                  left.getDimSize(1),
                  startsFromZero,
                  /*isTested=*/!startsFromZero && isTested && !isRare,
                  isRare};
  setLanes(op.getResult(), {true, true},
           emitProduct(b, op.getLoc(), threads, product));
  return success();
}
