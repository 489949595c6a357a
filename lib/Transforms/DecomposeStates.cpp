//===- DecomposeStates.cpp - States before and between loops --------------===//

#include "EmitTileExpr.h"
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
    return makeState(op, rewriter, {state}, [&](TileOps &ops) {
      SoftmaxState initial = ops.initialState(state.getValueSize());
      if (shared.target.hasFactor(state))
        initial.factor =
            ops.factors(state.getTrusting() ? 1.0 : TileOps::kSafeFactor);
      if (shared.target.mayRunAgain(state))
        initial.isAgain = flag(rewriter, op.getLoc(), false);
      return initial;
    });
  }
};

struct LowerSettle : StepPattern<SettleOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(SettleOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto settled = [&](TileOps &ops, SoftmaxState state) {
      state.isAgain = {};
      if (shared.target.hasFactor(op.getResult().getType()) && !state.factor)
        state.factor = ops.factors(1.0);
      return state;
    };
    return replaceBy(op, adaptor, rewriter, {op.getState().getType()}, settled);
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
    auto restarted = [&](TileOps &ops, const SoftmaxState &state) {
      SoftmaxState next = ops.restarted(state, shared.target.hasFactor(type));
      if (type.getTrusting())
        next.isAgain = flag(rewriter, op.getLoc(), true);
      return next;
    };
    return replaceBy(op, adaptor, rewriter, {type}, restarted);
  }
};

struct LowerResultState : StepPattern<ResultStateOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(ResultStateOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    StateType type = op.getState().getType();
    return makeState(op, rewriter, {type, /*scale=*/1.0}, [&](TileOps &ops) {
      Value output = withKnownRows(op.getOutput());
      SoftmaxState state =
          ops.resultState(output, withKnownRows(op.getLse()),
                          numRows(rewriter, op.getLoc(), output));
      if (shared.target.hasFactor(type))
        state.factor = ops.factors(1.0);
      return state;
    });
  }
};

struct LowerMergeStates : StepPattern<MergeStatesOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(MergeStatesOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    StateType type = op.getState().getType();
    StepInfo step{type, op.getScale().convertToDouble(), /*exact=*/true};
    return makeState(op, rewriter, step, [&](TileOps &ops) {
      return ops.merged(SoftmaxState::from(adaptor.getFirst()),
                        SoftmaxState::from(adaptor.getSecond()),
                        shared.target.hasFactor(type));
    });
  }
};
} // namespace

void transforms::populateStatePatterns(RewritePatternSet &patterns,
                                       const TypeConverter &converter,
                                       Decomposition &shared) {
  patterns.add<LowerInitialState, LowerSettle, LowerRestart, LowerResultState,
               LowerMergeStates>(converter, patterns.getContext(), shared);
}
