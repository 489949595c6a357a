//===- DecomposeResults.cpp - What a state comes to -----------------------===//

#include "EmitTileExpr.h"
#include "StepPattern.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

/// The destination may know less of its rows than what is written to it.
static Value withType(OpBuilder &b, Location loc, Value result, Type type) {
  if (result.getType() == type)
    return result;
  return tensor::CastOp::create(b, loc, type, result);
}

namespace {
struct LowerFinish : StepPattern<FinishOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(FinishOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto finished = [&](TileOps &ops, SoftmaxState state) {
      if (op.getSink())
        state = ops.withSink(state, sinkOf(op, adaptor, ops, rewriter));
      Value destination = withKnownRows(adaptor.getOutputInit()[0]);
      Value rows = numRows(rewriter, loc, destination);
      SmallVector<Value> results = {ops.output(state, rows, destination)};
      if (op.getLse()) {
        Value lse = ops.logSumExp(state);
        Value some =
            numRows(rewriter, loc, withKnownRows(adaptor.getLseInit()[0]));
        if (!isWhole(some, op.getState().getType().getRows()))
          lse = sliceRows(rewriter, loc, lse, {},
                          IndexMath{rewriter, loc}.constant(0), some);
        results.push_back(lse);
      }
      for (auto [result, type] : llvm::zip(results, op->getResultTypes()))
        result = withType(rewriter, loc, result, type);
      return results;
    };
    return replaceBy(op, adaptor, rewriter,
                     {op.getState().getType(), op.getScale().convertToDouble()},
                     finished);
  }

  /// One of all rows, or of each.
  static Value sinkOf(FinishOp op, OneToNOpAdaptor adaptor, TileOps &ops,
                      OpBuilder &b) {
    Value sink = adaptor.getSink()[0];
    if (sink.getType().isF32())
      return sink;
    sink = withKnownRows(sink);
    return ops.packRow(sink, numRows(b, op.getLoc(), sink), kMinusInfinity);
  }
};

struct LowerIsTrusted : StepPattern<IsTrustedOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(IsTrustedOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    StateType type = op.getState().getType();
    auto isTrusted = [&](TileOps &ops, const SoftmaxState &state) {
      return ops.isTrusted(state, adaptor.getRows()[0], type.getElementType());
    };
    return replaceBy(op, adaptor, rewriter,
                     {type, op.getScale().convertToDouble()}, isTrusted);
  }
};
} // namespace

void transforms::populateResultPatterns(RewritePatternSet &patterns,
                                        const TypeConverter &converter,
                                        Decomposition &shared) {
  patterns.add<LowerFinish, LowerIsTrusted>(converter, patterns.getContext(),
                                            shared);
}
