//===- StepPattern.h - Patterns that decompose steps ------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_STEPPATTERN_H
#define SPARSEATTN_LIB_TRANSFORMS_STEPPATTERN_H

#include "SparseAttn/Transforms/DecomposeSteps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::sparse_attn::transforms {

/// What all patterns share: the target, and queries that are packed.
struct Decomposition {
  const StepTarget &target;
  /// Queries are packed once for a scale, where their slice is.
  DenseMap<std::pair<Value, Attribute>, Value> packedQueries{};
};

/// A tile without the cast by which canonicalisation hides how many rows it
/// has, once they are known: an operand keeps the type that its user was made
/// for.
Value withKnownRows(Value tile);

template <typename Op> struct StepPattern : OpConversionPattern<Op> {
  StepPattern(const TypeConverter &converter, MLIRContext *context,
              Decomposition &shared)
      : OpConversionPattern<Op>(converter, context), shared(shared) {}

  /// Builds the code of a step, or of an operation before or after its loop.
  std::unique_ptr<TileOps> tiles(OpBuilder &b, Location loc,
                                 const StepInfo &step) const {
    return shared.target.tiles(b, loc, step);
  }

  /// Replaces `op` by what `compute` makes of the state that it takes, with the
  /// code of `step`: the state that `op` gives, or a value for each result.
  template <typename ComputeFn>
  LogicalResult
  replaceBy(Op op, typename OpConversionPattern<Op>::OneToNOpAdaptor adaptor,
            ConversionPatternRewriter &rewriter, const StepInfo &step,
            ComputeFn compute) const {
    std::unique_ptr<TileOps> ops = tiles(rewriter, op.getLoc(), step);
    auto results = compute(*ops, SoftmaxState::from(adaptor.getState()));
    if constexpr (std::is_same_v<decltype(results), SoftmaxState>)
      rewriter.replaceOpWithMultiple(op, {results.values()});
    else
      rewriter.replaceOp(op, results);
    return success();
  }

  /// Replaces `op`, which takes no state or several, by the state that `make`
  /// gives, with the code of `step`.
  template <typename MakeFn>
  LogicalResult makeState(Op op, ConversionPatternRewriter &rewriter,
                          const StepInfo &step, MakeFn make) const {
    std::unique_ptr<TileOps> ops = tiles(rewriter, op.getLoc(), step);
    rewriter.replaceOpWithMultiple(op, {make(*ops).values()});
    return success();
  }

  Decomposition &shared;
};

/// The step itself: what a loop over key tiles computes for each.
void populateStepPatterns(RewritePatternSet &patterns,
                          const TypeConverter &converter,
                          Decomposition &shared);
/// Tiles of keys that stand where a layout says.
void populateGatherPatterns(RewritePatternSet &patterns,
                            const TypeConverter &converter);
/// Results whose rows stand where a layout says.
void populateScatterPatterns(RewritePatternSet &patterns,
                             const TypeConverter &converter);
/// States that loops begin with, or that one loop hands to the next.
void populateStatePatterns(RewritePatternSet &patterns,
                           const TypeConverter &converter,
                           Decomposition &shared);
/// States over parts of the keys, to memory and back as one.
void populateStoredPatterns(RewritePatternSet &patterns,
                            const TypeConverter &converter,
                            Decomposition &shared);
/// What a state comes to behind its last loop.
void populateResultPatterns(RewritePatternSet &patterns,
                            const TypeConverter &converter,
                            Decomposition &shared);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_STEPPATTERN_H
