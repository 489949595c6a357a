//===- DecomposeResults.cpp - What a state comes to -----------------------===//

#include "EmitTileExpr.h"
#include "StepPattern.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

namespace {
struct LowerFinish : StepPattern<FinishOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(FinishOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto ops =
        tiles(rewriter, loc,
              {op.getState().getType(), op.getScale().convertToDouble()});
    SoftmaxState state = SoftmaxState::from(adaptor.getState());
    Value destination = adaptor.getOutputInit()[0];
    Value rows = numRows(rewriter, loc, destination);
    SmallVector<Value> results = {ops->output(state, rows, destination)};
    if (op.getLse()) {
      Value lse = ops->logSumExp(state);
      if (!getConstantIntValue(rows))
        lse = sliceRows(rewriter, loc, lse, {},
                        IndexMath{rewriter, loc}.constant(0), rows);
      results.push_back(lse);
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct LowerIsTrusted : StepPattern<IsTrustedOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(IsTrustedOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    StateType state = op.getState().getType();
    auto ops =
        tiles(rewriter, op.getLoc(), {state, op.getScale().convertToDouble()});
    rewriter.replaceOp(
        op, ops->isTrusted(SoftmaxState::from(adaptor.getState()),
                           adaptor.getRows()[0], state.getElementType()));
    return success();
  }
};
} // namespace

void transforms::populateResultPatterns(RewritePatternSet &patterns,
                                        const TypeConverter &converter,
                                        Decomposition &shared) {
  patterns.add<LowerFinish, LowerIsTrusted>(converter, patterns.getContext(),
                                            shared);
}
