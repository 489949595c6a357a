//===- DecomposeKeyTile.cpp - One step, as linalg on tiles ----------------===//

#include "EmitTileExpr.h"
#include "StepPattern.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::transforms;

namespace {
struct LowerStep : StepPattern<StepOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(StepOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    StateType type = op.getState().getType();
    StepInfo info{type, op.getScale().convertToDouble(),
                  /*exact=*/!type.getTrusting(), int64_t(op.getKeys())};
    auto ops = tiles(rewriter, loc, info);
    Value query = packQuery(op, adaptor.getQuery()[0], rewriter);
    auto pack = [&](Value slice) {
      return ops->packKeys(slice, numRows(rewriter, loc, slice));
    };
    Value scores = ops->scores(pack(adaptor.getKey()[0]), query);
    Value values = adaptor.getValue()[0];
    ValueTile valueTile{pack(values), numRows(rewriter, loc, values)};
    SoftmaxState state = SoftmaxState::from(adaptor.getState());
    SoftmaxState next;
    if (op.hasMask()) {
      MaskPosition first;
      first.i = toI32(rewriter, loc, adaptor.getRowPosition()[0]);
      first.j = toI32(rewriter, loc, adaptor.getKeyPosition()[0]);
      next = ops->update(state, scores, valueTile,
                         [&](OpBuilder &b, Value k, Value q) {
                           return isAllowed(b, op, first, k, q);
                         });
    } else {
      next = ops->update(state, scores, valueTile);
    }
    rewriter.replaceOpWithMultiple(op, {next.values()});
    return success();
  }

  static Value toI32(OpBuilder &b, Location loc, Value x) {
    return arith::IndexCastOp::create(b, loc, b.getI32Type(), x);
  }

  /// The mask of query q and key k of the tile, a copy of the step's region.
  static Value isAllowed(OpBuilder &b, StepOp op, const MaskPosition &first,
                         Value k, Value q) {
    Location loc = op.getLoc();
    Block &mask = op.getMask().front();
    IRMapping mapping;
    mapping.map(mask.getArgument(0),
                arith::AddIOp::create(b, loc, first.i, toI32(b, loc, q)));
    mapping.map(mask.getArgument(1),
                arith::AddIOp::create(b, loc, first.j, toI32(b, loc, k)));
    for (Operation &inner : mask.without_terminator())
      b.clone(inner, mapping);
    return mapping.lookupOrDefault(
        cast<YieldOp>(mask.getTerminator()).getValue());
  }

  /// Q, once for all steps that have it.
  Value packQuery(StepOp op, Value query, OpBuilder &b) const {
    Value &packed = shared.packedQueries[query];
    if (packed)
      return packed;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(query);
    StepInfo info{op.getState().getType(), op.getScale().convertToDouble()};
    packed = tiles(b, op.getLoc(), info)
                 ->packQuery(query, numRows(b, op.getLoc(), query));
    return packed;
  }
};
} // namespace

void transforms::populateStepPatterns(RewritePatternSet &patterns,
                                      const TypeConverter &converter,
                                      Decomposition &shared) {
  patterns.add<LowerStep>(converter, patterns.getContext(), shared);
}
