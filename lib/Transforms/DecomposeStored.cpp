//===- DecomposeStored.cpp - States in memory -----------------------------===//

#include "EmitTileExpr.h"
#include "StepPattern.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

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

/// The maximum and the sum of all first, then their accumulators by the shares
/// in that sum, so that each is rounded once:
///
///   m, l = those of all parts;  A = sum over parts of A. (l. exp(m. - m) / l)
struct LowerMergeStored : StepPattern<MergeStoredOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(MergeStoredOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    StateType type = op.getState().getType();
    double scale = op.getScale().convertToDouble();
    auto opsAt = [&](OpBuilder &b) {
      return tiles(b, loc, {type, scale, /*exact=*/true});
    };
    auto load = [&](OpBuilder &b, Value tensor, Value part) {
      SmallVector<Value> at = llvm::to_vector(op.getAt());
      at.push_back(part);
      return sliceTrailing(b, loc, tensor, at);
    };
    auto sumsOf = [&](OpBuilder &b, Value part) -> SoftmaxState {
      return {load(b, op.getMaximum(), part), load(b, op.getSum(), part), {}};
    };
    IndexMath math{rewriter, loc};
    Value zero = math.constant(0), one = math.constant(1),
          end = rewriter.createOrFold<tensor::DimOp>(loc, op.getMaximum(),
                                                     op.getAt().size());
    SoftmaxState all = opsAt(rewriter)->initialState(type.getValueSize());
    auto sums = scf::ForOp::create(
        rewriter, loc, zero, end, one, ValueRange{all.max, all.sum},
        [&](OpBuilder &b, Location, Value part, ValueRange carried) {
          SoftmaxState next = opsAt(b)->mergedSums({carried[0], carried[1], {}},
                                                   sumsOf(b, part));
          scf::YieldOp::create(b, loc, ValueRange{next.max, next.sum});
        });
    all.max = sums.getResult(0);
    all.sum = sums.getResult(1);
    if (shared.target.hasFactor(type))
      all.factor = opsAt(rewriter)->shareFactor(all.sum);
    auto means = scf::ForOp::create(
        rewriter, loc, zero, end, one, all.accumulator,
        [&](OpBuilder &b, Location, Value part, ValueRange carried) {
          auto ops = opsAt(b);
          Value share = ops->share(sumsOf(b, part), all);
          Value mean = ops->fromRows(load(b, op.getAccumulator(), part));
          scf::YieldOp::create(b, loc,
                               ops->addedShare(share, mean, carried.front()));
        });
    all.accumulator = means.getResult(0);
    rewriter.replaceOpWithMultiple(op, {all.values()});
    return success();
  }
};
} // namespace

void transforms::populateStoredPatterns(RewritePatternSet &patterns,
                                        const TypeConverter &converter,
                                        Decomposition &shared) {
  patterns.add<LowerStore, LowerMergeStored>(converter, patterns.getContext(),
                                             shared);
}
