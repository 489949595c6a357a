//===- DecomposeSteps.cpp - Steps as linalg on tiles ----------------------===//
//
// Conversion patterns: a state becomes three tensors, which upstream's patterns
// carry through loops and branches, and each op of a step the code of TileOps.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Transforms/DecomposeSteps.h"
#include "EmitTileExpr.h"
#include "ScaleFactors.h"
#include "TileOps.h"
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
/// What all patterns share: how tiles are held, and queries that are packed.
struct Decomposition {
  StepStyle style;
  /// Queries are packed once, where their slice is.
  DenseMap<Value, Value> packedQueries;

  TileOps ops(OpBuilder &b, Location loc, StateType state, double scale,
              bool exact = false, int64_t keys = 0) const {
    TileStyle tileStyle;
    tileStyle.queriesInner = style.queriesInner;
    tileStyle.keepTypes = style.keepTypes;
    tileStyle.unit = ScaleFactors(scale, style.keepTypes).unit;
    // f32 probabilities would show the rounding of m c.
    tileStyle.fuseScale = style.keepTypes && !state.getElementType().isF32();
    tileStyle.exact = exact;
    return TileOps(b, loc, tileStyle, {state.getRows(), keys});
  }

  /// The tensors of a state.
  SmallVector<Type> convert(StateType state) const {
    OpBuilder b(state.getContext());
    TileOps ops = this->ops(b, b.getUnknownLoc(), state, 1.0);
    SmallVector<Type> types = {ops.rowType(), ops.rowType(),
                               ops.tileType(state.getValueSize())};
    if (hasFactor(state))
      types.push_back(ops.rowType());
    if (mayRunAgain(state))
      types.push_back(b.getI1Type());
    return types;
  }

  /// Sequences are shorter than 2^30, and no sum of so many f16 is too large.
  /// Where types are kept, it is by exact steps that tiles are computed again.
  bool hasFactor(StateType state) const {
    return !state.getElementType().isF16() &&
           !(state.getTrusting() && style.keepTypes);
  }
  /// Whether the same loops compute tiles again.
  bool mayRunAgain(StateType state) const {
    return hasFactor(state) && state.getTrusting();
  }
  Value flag(OpBuilder &b, Location loc, bool value) const {
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(value));
  }
};

template <typename Op> struct StepPattern : OpConversionPattern<Op> {
  StepPattern(const TypeConverter &converter, MLIRContext *context,
              Decomposition &shared)
      : OpConversionPattern<Op>(converter, context), shared(shared) {}
  Decomposition &shared;
};
} // namespace

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
    double scale = op.getScale().convertToDouble();
    TileOps ops = shared.ops(rewriter, loc, op.getState().getType(), scale,
                             /*exact=*/!op.getState().getType().getTrusting(),
                             op.getKeys());
    Value query = packQuery(op, adaptor.getQuery()[0], rewriter);
    Value scores = ops.scores(pack(adaptor.getKey()[0], op, ops), query);
    ScaleFactors factors(scale, shared.style.keepTypes);
    if (factors.score != 1.0)
      scores = ops.scaled(scores, factors.score);
    Value values = adaptor.getValue()[0];
    ValueTile valueTile{pack(values, op, ops), numRows(rewriter, loc, values)};
    SoftmaxState state = SoftmaxState::from(adaptor.getState());
    SoftmaxState next;
    if (op.hasMask()) {
      MaskPosition first;
      first.i = toI32(rewriter, loc, adaptor.getRowPosition()[0]);
      first.j = toI32(rewriter, loc, adaptor.getKeyPosition()[0]);
      next = ops.update(state, scores, valueTile,
                        [&](OpBuilder &b, Value k, Value q) {
                          return isAllowed(b, op, first, k, q);
                        });
    } else {
      next = ops.update(state, scores, valueTile);
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

  /// Q, transposed and scaled as the target wants it.
  Value packQuery(StepOp op, Value query, OpBuilder &b) const {
    Value &packed = shared.packedQueries[query];
    if (packed)
      return packed;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(query);
    Location loc = op.getLoc();
    StateType state = op.getState().getType();
    double scale = op.getScale().convertToDouble();
    TileOps ops = shared.ops(b, loc, state, scale);
    Value rows = numRows(b, loc, query);
    packed = shared.style.keepTypes
                 ? ops.padRows(query, rows, state.getRows())
                 : ops.packQuery(query, rows, ScaleFactors(scale, false).query);
    return packed;
  }

  /// K or V as [Bn, size], padded with zeros, in the type products take.
  Value pack(Value slice, StepOp op, TileOps &ops) const {
    OpBuilder b = ops.builder();
    Value rows = numRows(b, op.getLoc(), slice);
    if (shared.style.keepTypes)
      return ops.padRows(slice, rows, op.getKeys());
    bool isWhole = staticDim(cast<ShapedType>(slice.getType()), 0) ==
                   int64_t(op.getKeys());
    if (op.getState().getType().getElementType().isF32() && isWhole)
      return slice;
    return ops.packKeys(slice, rows);
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
    TileOps ops = shared.ops(rewriter, op.getLoc(), state, 1.0);
    SoftmaxState initial = ops.initialState(state.getValueSize());
    if (shared.hasFactor(state))
      initial.factor =
          ops.factors(state.getTrusting() ? 1.0 : TileOps::kSafeFactor);
    if (shared.mayRunAgain(state))
      initial.isAgain = shared.flag(rewriter, op.getLoc(), false);
    rewriter.replaceOpWithMultiple(op, {initial.values()});
    return success();
  }
};

struct LowerSettle : StepPattern<SettleOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(SettleOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    TileOps ops =
        shared.ops(rewriter, op.getLoc(), op.getState().getType(), 1.0);
    SoftmaxState state = SoftmaxState::from(adaptor.getState());
    state.isAgain = {};
    if (shared.hasFactor(op.getResult().getType()) && !state.factor)
      state.factor = ops.factors(1.0);
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
    if (type.getTrusting() && !shared.mayRunAgain(type))
      return op.emitOpError("cannot run the same steps again on this target; "
                            "give an exact state");
    TileOps ops = shared.ops(rewriter, op.getLoc(), type, 1.0);
    SoftmaxState state = ops.restarted(SoftmaxState::from(adaptor.getState()),
                                       shared.hasFactor(type));
    if (type.getTrusting())
      state.isAgain = shared.flag(rewriter, op.getLoc(), true);
    rewriter.replaceOpWithMultiple(op, {state.values()});
    return success();
  }
};

struct LowerStore : StepPattern<StoreStateOp> {
  using StepPattern::StepPattern;

  LogicalResult
  matchAndRewrite(StoreStateOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    TileOps ops =
        shared.ops(rewriter, op.getLoc(), op.getState().getType(), 1.0);
    SoftmaxState state = SoftmaxState::from(adaptor.getState());
    // Unlike sums, means are never too large to be merged.
    Value accumulator =
        ops.toRows(ops.means(state), adaptor.getAccumulatorInit()[0]);
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
      return shared.ops(b, loc, type, scale, /*exact=*/true);
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
    SoftmaxState all = opsAt(rewriter).initialState(type.getValueSize());
    auto sums = scf::ForOp::create(
        rewriter, loc, zero, end, one, ValueRange{all.max, all.sum},
        [&](OpBuilder &b, Location, Value part, ValueRange carried) {
          SoftmaxState next = opsAt(b).mergedSums({carried[0], carried[1], {}},
                                                  sumsOf(b, part));
          scf::YieldOp::create(b, loc, ValueRange{next.max, next.sum});
        });
    all.max = sums.getResult(0);
    all.sum = sums.getResult(1);
    if (shared.hasFactor(type))
      all.factor = opsAt(rewriter).shareFactor(all.sum);
    auto means = scf::ForOp::create(
        rewriter, loc, zero, end, one, all.accumulator,
        [&](OpBuilder &b, Location, Value part, ValueRange carried) {
          TileOps ops = opsAt(b);
          Value share = ops.share(sumsOf(b, part), all);
          Value mean = ops.fromRows(load(b, op.getAccumulator(), part));
          scf::YieldOp::create(b, loc,
                               ops.addedShare(share, mean, carried.front()));
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
    TileOps ops = shared.ops(rewriter, loc, op.getState().getType(),
                             op.getScale().convertToDouble());
    SoftmaxState state = SoftmaxState::from(adaptor.getState());
    Value destination = adaptor.getOutputInit()[0];
    Value rows = numRows(rewriter, loc, destination);
    SmallVector<Value> results = {ops.output(state, rows, destination)};
    if (op.getLse()) {
      Value lse = ops.logSumExp(state);
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
    TileOps ops = shared.ops(rewriter, op.getLoc(), state,
                             op.getScale().convertToDouble());
    rewriter.replaceOp(op, ops.isTrusted(SoftmaxState::from(adaptor.getState()),
                                         adaptor.getRows()[0],
                                         state.getElementType()));
    return success();
  }
};
} // namespace

LogicalResult transforms::decomposeSteps(Operation *root, StepStyle style) {
  MLIRContext *context = root->getContext();
  Decomposition shared;
  shared.style = style;
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
  ConversionTarget target(*context);
  target.addIllegalOp<StepOp, InitialStateOp, SettleOp, RestartOp, StoreStateOp,
                      MergeStoredOp, FinishOp, IsTrustedOp>();
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  return applyPartialConversion(root, target, std::move(patterns));
}
