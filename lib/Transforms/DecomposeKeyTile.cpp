//===- DecomposeKeyTile.cpp - One step, as linalg on tiles ----------------===//

#include "StepPattern.h"
#include "StepRegions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::sparse_attn;
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
                  /*exact=*/!type.getTrusting(), int64_t(op.getKeys()),
                  op.hasScore()};
    ValueRange keys = op.getKeyPositions() ? adaptor.getKeyPositions()
                                           : adaptor.getKeyPosition();
    ValueRange rows = op.getRowPositions() ? adaptor.getRowPositions()
                                           : adaptor.getRowPosition();
    StepRegions regions(rewriter, op, rows[0], keys[0]);
    auto newScore = [&](OpBuilder &b, Value score, Value k, Value q) {
      return regions.score(b, score, k, q);
    };
    auto allowed = [&](OpBuilder &b, Value k, Value q) {
      return regions.isAllowed(b, k, q);
    };
    auto updated = [&](TileOps &ops, const SoftmaxState &state) {
      if (op.hasReach())
        ops.tellReach(reachOf(op, adaptor.getRowPosition()[0], rewriter));
      Value query =
          packQuery(op, withKnownRows(adaptor.getQuery()[0]), rewriter);
      auto pack = [&](Value slice) {
        return ops.packKeys(slice, numRows(rewriter, loc, slice));
      };
      Value scores =
          ops.scores(pack(withKnownRows(adaptor.getKey()[0])), query);
      Value values = withKnownRows(adaptor.getValue()[0]);
      ValueTile valueTile{pack(values), numRows(rewriter, loc, values)};
      return ops.update(
          state, scores, valueTile,
          op.hasScore() ? TileOps::ScoreFn(newScore) : TileOps::ScoreFn(),
          op.hasMask() ? TileOps::AllowedFn(allowed) : TileOps::AllowedFn());
    };
    return replaceBy(op, adaptor, rewriter, info, updated);
  }

  /// The step's reach, in rows from the first of the tile on.
  static RowReach reachOf(StepOp op, Value position, OpBuilder &b) {
    Location loc = op.getLoc();
    Value first = arith::IndexCastOp::create(b, loc, b.getI32Type(), position);
    auto from = [&](Value i) -> Value {
      return arith::SubIOp::create(b, loc, i, first);
    };
    RowReach reach = {{from(op.getLiveBegin()), from(op.getLiveEnd())}, {}};
    // A score region may leave pairs out by itself, by a score of -inf.
    if (op.getFullBegin() && !op.hasScore())
      reach.full = {from(op.getFullBegin()), from(op.getFullEnd())};
    return reach;
  }

  /// Q, once for all steps that have it and one scale.
  Value packQuery(StepOp op, Value query, OpBuilder &b) const {
    Value &packed = shared.packedQueries[{query, op.getScaleAttr()}];
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
