//===- DecomposeStates.cpp - States before and between loops --------------===//

#include "StepPattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static Value flag(OpBuilder &b, Location loc, bool value) {
  return arith::ConstantOp::create(b, loc, b.getBoolAttr(value));
}

namespace {
struct LowerInitialState : StepPattern<InitialStateOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(InitialStateOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    StateType state = op.getState().getType();
    auto ops = tiles(rewriter, op.getLoc(), {state});
    SoftmaxState initial = ops->initialState(state.getValueSize());
    if (shared.target.hasFactor(state))
      initial.factor =
          ops->factors(state.getTrusting() ? 1.0 : TileOps::kSafeFactor);
    if (shared.target.mayRunAgain(state))
      initial.isAgain = flag(rewriter, op.getLoc(), false);
    rewriter.replaceOpWithMultiple(op, {initial.values()});
    return success();
  }
};

struct LowerSettle : StepPattern<SettleOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(SettleOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto ops = tiles(rewriter, op.getLoc(), {op.getState().getType()});
    SoftmaxState state = SoftmaxState::from(adaptor.getState());
    state.isAgain = {};
    if (shared.target.hasFactor(op.getResult().getType()) && !state.factor)
      state.factor = ops->factors(1.0);
    rewriter.replaceOpWithMultiple(op, {state.values()});
    return success();
  }
};

struct LowerRestart : StepPattern<RestartOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(RestartOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    StateType type = op.getResult().getType();
    if (type.getTrusting() && !shared.target.mayRunAgain(type))
      return op.emitOpError("cannot run the same steps again on this target; "
                            "give an exact state");
    auto ops = tiles(rewriter, op.getLoc(), {type});
    SoftmaxState state = ops->restarted(SoftmaxState::from(adaptor.getState()),
                                        shared.target.hasFactor(type));
    if (type.getTrusting())
      state.isAgain = flag(rewriter, op.getLoc(), true);
    rewriter.replaceOpWithMultiple(op, {state.values()});
    return success();
  }
};
} // namespace

void transforms::populateStatePatterns(RewritePatternSet &patterns,
                                       const TypeConverter &converter,
                                       Decomposition &shared) {
  patterns.add<LowerInitialState, LowerSettle, LowerRestart>(
      converter, patterns.getContext(), shared);
}
