//===- VectorizeGathers.cpp - Rows that a layout names, as vectors --------===//

#include "VectorizeGathers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace mlir::sparse_attn;

/// Rows that a layout names are read as a vector, which the positions are, too.
static void vectorizeGather(RewriterBase &rewriter, GatherRowsOp op) {
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  RankedTensorType type = op.getResult().getType();
  Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
  Value rows = rewriter.createOrFold<tensor::DimOp>(loc, op.getSource(),
                                                    op.getAt().size());
  Value source = sliceRows(rewriter, loc, op.getSource(),
                           SmallVector<Value>(op.getAt()), zero, rows);
  auto numbers = VectorType::get({type.getDimSize(0)}, rewriter.getI32Type());
  Value padding = ub::PoisonOp::create(rewriter, loc, rewriter.getI32Type());
  Value positions =
      vector::TransferReadOp::create(rewriter, loc, numbers, op.getPositions(),
                                     zero, padding, ArrayRef<bool>{true});
  Value tile = ReadRowsOp::create(
      rewriter, loc, VectorType::get(type.getShape(), type.getElementType()),
      source, positions);
  Value empty = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                        type.getElementType());
  rewriter.replaceOpWithNewOp<vector::TransferWriteOp>(
      op, tile, empty, ValueRange{zero, zero}, ArrayRef<bool>{true, true});
}

namespace {
/// An element of a tensor that is computed from its indices alone is computed
/// where it is needed: a position of a layout in a mask.
struct ElementOfComputed : OpRewritePattern<tensor::ExtractOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractOp op,
                                PatternRewriter &rewriter) const override {
    auto source = op.getTensor().getDefiningOp<linalg::GenericOp>();
    if (!source || source.getNumDpsInputs() != 0 ||
        source.getNumDpsInits() != 1 ||
        source.getNumParallelLoops() != source.getNumLoops() ||
        !source.getIndexingMapsArray()[0].isIdentity())
      return rewriter.notifyMatchFailure(op, "not computed from indices");
    Block &body = source.getRegion().front();
    if (!body.getArgument(0).use_empty())
      return rewriter.notifyMatchFailure(op, "takes what was there before");
    IRMapping map;
    for (Operation &inner : body.without_terminator()) {
      if (auto index = dyn_cast<linalg::IndexOp>(inner))
        map.map(index.getResult(), op.getIndices()[index.getDim()]);
      else
        rewriter.clone(inner, map);
    }
    rewriter.replaceOp(
        op, map.lookupOrDefault(body.getTerminator()->getOperand(0)));
    return success();
  }
};
} // namespace

static LogicalResult inlineElements(Operation *root) {
  RewritePatternSet patterns(root->getContext());
  patterns.add<ElementOfComputed>(root->getContext());
  return applyPatternsGreedily(root, std::move(patterns));
}

LogicalResult transforms::vectorizeGathers(RewriterBase &rewriter,
                                           Operation *root) {
  if (failed(inlineElements(root)))
    return failure();
  SmallVector<GatherRowsOp> gathers;
  root->walk([&](GatherRowsOp op) { gathers.push_back(op); });
  for (GatherRowsOp op : gathers)
    vectorizeGather(rewriter, op);
  return success();
}
