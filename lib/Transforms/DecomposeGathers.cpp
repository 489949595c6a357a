//===- DecomposeGathers.cpp - Rows that a layout names --------------------===//

#include "EmitTileExpr.h"
#include "StepPattern.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

/// `tile` with source[at..., position] in row m of it.
static Value copyRow(OpBuilder &b, GatherRowsOp op, Value position, Value m,
                     Value tile) {
  Location loc = op.getLoc();
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value from = sliceRows(b, loc, op.getSource(), SmallVector<Value>(op.getAt()),
                         position, one);
  Value to = sliceRows(b, loc, tile, {}, m, one);
  Value copied = linalg::CopyOp::create(b, loc, from, to).getResult(0);
  auto slice = to.getDefiningOp<tensor::ExtractSliceOp>();
  return tensor::InsertSliceOp::create(
      b, loc, copied, tile, slice.getMixedOffsets(), slice.getMixedSizes(),
      slice.getMixedStrides());
}

namespace {
/// A loop over rows, each of which is copied as a vector is.
struct LowerGather : OpConversionPattern<GatherRowsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(GatherRowsOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = op.getResult().getType();
    IndexMath math{rewriter, loc};
    Value one = math.constant(1);
    Value numRows = rewriter.createOrFold<tensor::DimOp>(loc, op.getSource(),
                                                         op.getAt().size());
    Value last = math.sub(numRows, one);
    Value tile = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                         type.getElementType());
    auto loop = scf::ForOp::create(
        rewriter, loc, math.constant(0), math.constant(type.getDimSize(0)), one,
        tile, [&](OpBuilder &b, Location, Value m, ValueRange carried) {
          Value narrow =
              tensor::ExtractOp::create(b, loc, op.getPositions(), m);
          Value position =
              arith::IndexCastOp::create(b, loc, b.getIndexType(), narrow);
          position = IndexMath{b, loc}.min(position, last);
          scf::YieldOp::create(b, loc,
                               copyRow(b, op, position, m, carried.front()));
        });
    rewriter.replaceOp(op, loop.getResults());
    return success();
  }
};

/// An insertion for each row of the tile, of one row or of none.
struct LowerScatter : OpConversionPattern<ScatterRowsOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(ScatterRowsOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getSource().getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "is on vectors");
    for (int64_t m = 0; m < type.getDimSize(0); ++m)
      insertRow(rewriter, op, m, type.getShape().back());
    rewriter.eraseOp(op);
    return success();
  }

  /// Inserts row `m`, from what stands before the terminator.
  static void insertRow(OpBuilder &b, ScatterRowsOp op, int64_t m,
                        int64_t columns) {
    Location loc = op.getLoc();
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(op->getParentOp());
    IndexMath math{b, loc};
    Value number = math.constant(m), zero = math.constant(0);
    Value one = math.constant(1);
    Value position =
        tensor::ExtractOp::create(b, loc, op.getPositions(), number);
    Value row = arith::IndexCastOp::create(b, loc, b.getIndexType(), position);
    Value rows =
        b.createOrFold<tensor::DimOp>(loc, op.getDest(), op.getAt().size());
    Value inside = math.min(math.max(row, zero), math.sub(rows, one));
    Value exists = math.compare(arith::CmpIPredicate::eq, row, inside);
    Value count = math.select(exists, one, zero);
    Value source = sliceRows(b, loc, op.getSource(), {}, number, count);
    auto place = sliceTile(b, loc, op.getDest(), SmallVector<Value>(op.getAt()),
                           inside, count, op.getColumn(), columns)
                     .getDefiningOp<tensor::ExtractSliceOp>();
    b.setInsertionPoint(op);
    tensor::ParallelInsertSliceOp::create(
        b, loc, source, op.getDest(), place.getMixedOffsets(),
        place.getMixedSizes(), place.getMixedStrides());
    place.erase();
  }
};
} // namespace

void transforms::populateScatterPatterns(RewritePatternSet &patterns,
                                         const TypeConverter &converter) {
  patterns.add<LowerScatter>(converter, patterns.getContext());
}

void transforms::populateGatherPatterns(RewritePatternSet &patterns,
                                        const TypeConverter &converter) {
  patterns.add<LowerGather>(converter, patterns.getContext());
}
