//===- DecomposeStored.cpp - States in memory -----------------------------===//

#include "EmitTileExpr.h"
#include "SparseAttn/Target/Target.h"
#include "StepPattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

namespace {
struct LowerStore : StepPattern<StoreStateOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(StoreStateOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto stored = [&](TileOps &ops, const SoftmaxState &state) {
      // Unlike sums, means are never too large to be merged.
      Value accumulator =
          ops.toRows(ops.means(state), adaptor.getAccumulatorInit()[0]);
      return SmallVector<Value>{state.max, state.sum, accumulator};
    };
    return replaceBy(op, adaptor, rewriter, {op.getState().getType()}, stored);
  }
};

/// As many at a time as the target says, of the rest a quarter of as many, and
/// so on:
///
///   state = initial
///   for some of the stored states:  state = merged(state, stored)
///   for the rest:                   state = merged(state, stored)
struct LowerMergeStored : StepPattern<MergeStoredOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(MergeStoredOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    StateType type = op.getState().getType();
    std::unique_ptr<TileOps> ops = opsAt(rewriter, op);
    SoftmaxState state = ops->initialState(type.getValueSize());
    if (shared.target.hasFactor(type))
      state.factor = ops->factors(1.0);
    IndexMath math{rewriter, loc};
    Value begin = math.constant(0),
          end = rewriter.createOrFold<tensor::DimOp>(loc, op.getMaximum(),
                                                     op.getAt().size());
    SmallVector<Value> merged = state.values();
    int64_t atOnce = shared.target.statesAtOnce(type);
    if (std::optional<int64_t> all = getConstantIntValue(end))
      atOnce = std::min(atOnce, *all);
    for (int64_t some = atOnce; some > 1; some /= target::kMergedFewer) {
      Value most = math.mul(math.floorDiv(end, some), some);
      merged = merge(rewriter, op, begin, most, some, merged);
      begin = most;
    }
    merged = merge(rewriter, op, begin, end, 1, merged);
    rewriter.replaceOpWithMultiple(op, {merged});
    return success();
  }

private:
  std::unique_ptr<TileOps> opsAt(OpBuilder &b, MergeStoredOp op) const {
    return tiles(b, op.getLoc(),
                 {op.getState().getType(), op.getScale().convertToDouble(),
                  /*exact=*/true});
  }

  /// A loop that merges the states `begin` to `end`, `step` at a time.
  SmallVector<Value> merge(OpBuilder &b, MergeStoredOp op, Value begin,
                           Value end, int64_t step, ValueRange state) const {
    Location loc = op.getLoc();
    auto body = [&](OpBuilder &b, Location, Value first, ValueRange carried) {
      IndexMath math{b, loc};
      SmallVector<SoftmaxState> stored;
      for (int64_t i = 0; i < step; ++i)
        stored.push_back(
            load(b, op, i == 0 ? first : math.add(first, math.constant(i))));
      SoftmaxState merged =
          opsAt(b, op)->mergedStored(SoftmaxState::from(carried), stored);
      scf::YieldOp::create(b, loc, merged.values());
    };
    return scf::ForOp::create(b, loc, begin, end,
                              IndexMath{b, loc}.constant(step), state, body)
        .getResults();
  }

  /// State `number`, with means for its accumulator.
  SoftmaxState load(OpBuilder &b, MergeStoredOp op, Value number) const {
    SmallVector<Value> at = llvm::to_vector(op.getAt());
    at.push_back(number);
    auto slice = [&](Value tensor) {
      return sliceTrailing(b, op.getLoc(), tensor, at);
    };
    return {slice(op.getMaximum()), slice(op.getSum()),
            opsAt(b, op)->fromRows(slice(op.getAccumulator()))};
  }
};
} // namespace

void transforms::populateStoredPatterns(RewritePatternSet &patterns,
                                        const TypeConverter &converter,
                                        Decomposition &shared) {
  patterns.add<LowerStore, LowerMergeStored>(converter, patterns.getContext(),
                                             shared);
}
