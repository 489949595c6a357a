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

/// A whole tensor of static size as a vector.
static Value readWhole(OpBuilder &b, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<Value> origin(type.getRank(),
                            arith::ConstantIndexOp::create(b, loc, 0));
  Value padding = ub::PoisonOp::create(b, loc, type.getElementType());
  return vector::TransferReadOp::create(
      b, loc, VectorType::get(type.getShape(), type.getElementType()), tensor,
      origin, padding, SmallVector<bool>(type.getRank(), true));
}

/// Rows that a layout names are written from a vector.
static void vectorizeScatter(RewriterBase &rewriter, ScatterRowsOp op) {
  rewriter.setInsertionPoint(op->getParentOp());
  for (OpOperand *operand : {&op.getSourceMutable(), &op.getPositionsMutable()})
    if (isa<TensorType>(operand->get().getType()))
      operand->set(readWhole(rewriter, op.getLoc(), operand->get()));
}

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
  Value positions = readWhole(rewriter, loc, op.getPositions());
  Value tile = ReadRowsOp::create(
      rewriter, loc, VectorType::get(type.getShape(), type.getElementType()),
      source, positions);
  Value empty = tensor::EmptyOp::create(rewriter, loc, type.getShape(),
                                        type.getElementType());
  rewriter.replaceOpWithNewOp<vector::TransferWriteOp>(
      op, tile, empty, ValueRange{zero, zero}, ArrayRef<bool>{true, true});
}

namespace {
/// An element of a tensor that is computed from its indices, and from the same
/// elements of others, is computed where it is needed: a position of a layout
/// in a mask.
struct ElementOfComputed : OpRewritePattern<tensor::ExtractOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractOp op,
                                PatternRewriter &rewriter) const override {
    auto source = op.getTensor().getDefiningOp<linalg::GenericOp>();
    if (!source || source.getNumDpsInits() != 1 ||
        source.getNumParallelLoops() != source.getNumLoops() ||
        !llvm::all_of(source.getIndexingMapsArray(),
                      [](AffineMap map) { return map.isIdentity(); }))
      return rewriter.notifyMatchFailure(op, "not computed element by element");
    Block &body = source.getRegion().front();
    if (!body.getArguments().back().use_empty())
      return rewriter.notifyMatchFailure(op, "takes what was there before");
    IRMapping map;
    for (auto [input, argument] :
         llvm::zip(source.getInputs(), body.getArguments().drop_back()))
      map.map(argument, tensor::ExtractOp::create(rewriter, op.getLoc(), input,
                                                  op.getIndices()));
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
  root->walk([&](ScatterRowsOp op) { vectorizeScatter(rewriter, op); });
  for (GatherRowsOp op : gathers)
    vectorizeGather(rewriter, op);
  return success();
}
