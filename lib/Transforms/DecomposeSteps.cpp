//===- DecomposeSteps.cpp - Steps as linalg on tiles ----------------------===//
//
// Conversion patterns: a state becomes three tensors, which upstream's patterns
// carry through loops and branches, and each op of a step the code of the
// target's TileOps.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Transforms/DecomposeSteps.h"
#include "EmitTileExpr.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

namespace {
/// What all patterns share: the target, and queries that are packed.
struct Decomposition {
  const StepTarget &target;
  /// Queries are packed once, where their slice is.
  DenseMap<Value, Value> packedQueries;

  /// The tensors of a state.
  SmallVector<Type> convert(StateType state) const {
    OpBuilder b(state.getContext());
    auto tiles = target.tiles(b, b.getUnknownLoc(), {state});
    SmallVector<Type> types = {tiles->rowType(), tiles->rowType(),
                               tiles->tileType(state.getValueSize())};
    if (target.hasFactor(state))
      types.push_back(tiles->rowType());
    if (target.mayRunAgain(state))
      types.push_back(b.getI1Type());
    return types;
  }
};

template <typename Op> struct StepPattern : OpConversionPattern<Op> {
  StepPattern(const TypeConverter &converter, MLIRContext *context,
              Decomposition &shared)
      : OpConversionPattern<Op>(converter, context), shared(shared) {}

  /// Builds the code of a step, or of an operation before or after its loop.
  std::unique_ptr<TileOps> tiles(OpBuilder &b, Location loc,
                                 const StepInfo &step) const {
    return shared.target.tiles(b, loc, step);
  }

  Decomposition &shared;
};
} // namespace

static Value flag(OpBuilder &b, Location loc, bool value) {
  return arith::ConstantOp::create(b, loc, b.getBoolAttr(value));
}

//===----------------------------------------------------------------------===//
// step
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Before, between and after loops
//===----------------------------------------------------------------------===//

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

struct LowerStore : StepPattern<StoreStateOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(StoreStateOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto ops = tiles(rewriter, op.getLoc(), {op.getState().getType()});
    SoftmaxState state = SoftmaxState::from(adaptor.getState());
    // Unlike sums, means are never too large to be merged.
    Value accumulator =
        ops->toRows(ops->means(state), adaptor.getAccumulatorInit()[0]);
    rewriter.replaceOp(op, ValueRange{state.max, state.sum, accumulator});
    return success();
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
    int64_t numParts = cast<ShapedType>(op.getMaximum().getType())
                           .getDimSize(op.getAt().size());
    Value zero = math.constant(0), one = math.constant(1),
          end = math.constant(numParts);
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

LogicalResult transforms::decomposeSteps(Operation *root,
                                         const StepTarget &target) {
  MLIRContext *context = root->getContext();
  Decomposition shared{target, DenseMap<Value, Value>()};
  TypeConverter converter;
  converter.addConversion([](Type type) { return type; });
  converter.addConversion([&](StateType state, SmallVectorImpl<Type> &results) {
    llvm::append_range(results, shared.convert(state));
    return success();
  });
  RewritePatternSet patterns(context);
  patterns.add<LowerStep, LowerInitialState, LowerSettle, LowerRestart,
               LowerStore, LowerMergeStored, LowerFinish, LowerIsTrusted>(
      converter, context, shared);
  ConversionTarget legality(*context);
  legality.addIllegalOp<StepOp, InitialStateOp, SettleOp, RestartOp,
                        StoreStateOp, MergeStoredOp, FinishOp, IsTrustedOp>();
  legality.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       legality);
  return applyPartialConversion(root, legality, std::move(patterns));
}
