//===- TileOps.h - Online softmax as linalg ops on tiles --------*- C++ -*-===//
//
// The algorithm of one visited tile (Milakov and Gimelshein 2018; Dao et al.
// 2022), for Bm queries and Bn keys. Scores count in units of `unit` nats, so
// that the unit holds what of the scale neither Q nor S carries:
//
//   S     = K Q^T                       scores
//   S     = score(scale S)              where a region says so; then in nats
//   S     = mask(S)                     partial tiles only
//   m'    = max(m, max_k S)             running maximum
//   P     = exp((S - m') unit)          probabilities, unnormalised
//   alpha = exp((m - m') unit)          rescale
//   l'    = alpha l + sum_k P           row sum
//   A'    = alpha A + V^T P             accumulator
//
// m tells rows apart that have no finite score: it is -inf as long as no live
// key was seen, and `lowest`, the least finite number, once there was one, even
// if all scores were -inf. What is subtracted from scores is never below
// `lowest`, as -inf - (-inf) would make a NaN of a row that has none.
//
// This is what all targets share. Each has a class of its own that says how
// operands are packed, and how products, exponents and divisions are computed:
// FloatTiles of this library, and TensorCoreTiles of lib/GPU/Step.
//
// Trusting steps trust that A stays below the largest number, which its mean,
// the result, always does; a target's may trust more. Whether they were right
// shows in the state they end with, as a NaN never goes away (isTrusted).
//
// Then the tile is computed again. Where only the size of A can be wrong, the
// same loops run once more; elsewhere exact steps do, which trust nothing. Both
// multiply the weights in A by a factor of each row, so small that A cannot
// overflow.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TRANSFORMS_TILEOPS_H
#define SPARSEATTN_TRANSFORMS_TILEOPS_H

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Transforms/TileLayout.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <limits>

namespace mlir::sparse_attn::transforms {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr double kLowest = std::numeric_limits<float>::lowest();

/// What a loop over key tiles carries: running maximum [Bm], row sum [Bm] and
/// accumulator [Dv, Bm] (or [Bm, Dv]), all f32. Where A may overflow, each
/// row's weights in it are multiplied by `factor` [Bm], 1 or less; and where
/// the same loops may run again, whether they do is the i1 `isAgain`.
struct SoftmaxState {
  Value max, sum, accumulator;
  Value factor = {}, isAgain = {};

  SmallVector<Value> values() const {
    SmallVector<Value> all = {max, sum, accumulator};
    for (Value more : {factor, isAgain})
      if (more)
        all.push_back(more);
    return all;
  }
  static SoftmaxState from(ValueRange values) {
    SoftmaxState state{values[0], values[1], values[2]};
    if (values.size() > 3)
      state.factor = values[3];
    if (values.size() > 4)
      state.isAgain = values[4];
    return state;
  }
};

/// V of the visited keys.
struct ValueTile {
  Value tile;  ///< [Bn, Dv], zero past the last key
  Value count; ///< how many keys those are
};

/// Builds the code of steps at one place. A target derives its own class from
/// it, and a StepTarget that makes them (DecomposeSteps.h).
class TileOps {
public:
  /// Whether query q may attend to key k, both indices of the tile.
  using AllowedFn = llvm::function_ref<Value(OpBuilder &, Value k, Value q)>;
  /// The new score of such a pair; both scores are natural ones.
  using ScoreFn =
      llvm::function_ref<Value(OpBuilder &, Value score, Value k, Value q)>;

  TileOps(OpBuilder &b, Location loc, TileLayout layout, plan::TileShape tile)
      : b(b), loc(loc), layout(layout), tile(tile) {}
  virtual ~TileOps() = default;

  /// A f32 tile [Bm, size] in the target's layout.
  RankedTensorType tileType(int64_t size) const;
  RankedTensorType rowType() const;

  /// The state of rows that have seen no key.
  SoftmaxState initialState(int64_t valueSize);
  /// The same in the place of another state.
  SoftmaxState initialState(SoftmaxState place);

  /// Q of a query tile [rows, D], as `scores` takes it.
  virtual Value packQuery(Value query, Value rows) = 0;
  /// K or V of a key tile [rows, size], as products take them: [Bn, size], zero
  /// past `rows`.
  virtual Value packKeys(Value keys, Value rows) = 0;

  /// O of a query tile [rows, Dv], of any type, in f32 and the target's layout;
  /// zero past `rows`.
  virtual Value packResult(Value output, Value rows) = 0;
  /// A value of each row [rows], as [Bm]; `padding` past `rows`.
  virtual Value packRow(Value row, Value rows, double padding) = 0;

  virtual Value scores(Value keyTile, Value queryTile);
  /// Says what the step's tile is to rows, counted from the tile's first: it
  /// leaves those that are not live as they are. A target that makes no use of
  /// it computes the same for all rows.
  virtual void tellReach(const RowReach &reach) {}
  /// One step of the algorithm above. Without `allowed`, each row has a live
  /// key in this tile, and no key is masked.
  SoftmaxState update(SoftmaxState state, Value scores, const ValueTile &values,
                      ScoreFn newScore, AllowedFn allowed);

  /// Whether trusting steps were enough for the first `rows` rows of operands
  /// of `type`, as an i1.
  virtual Value isTrusted(const SoftmaxState &state, Value rows, Type type) = 0;
  /// Factors of all rows.
  Value factors(double value);
  /// A does not overflow with this factor, however long the sequence is.
  static constexpr double kSafeFactor = 0x1p-30;
  /// Where a tile is computed again: in the place of `state`, with factors for
  /// which those rows of A that have overflowed will not.
  SoftmaxState restarted(const SoftmaxState &state, bool hasFactor);

  /// The means, A / (factor l), of a state that is stored; 0 without any key.
  Value means(const SoftmaxState &state);
  /// m unit + ln l, the natural log-sum-exp; -inf where no key is live, NaN
  /// where all scores are -inf.
  Value logSumExp(const SoftmaxState &state);
  /// Writes the mean, rounded, to `destination` [rows, Dv]; 0 where no key is
  /// live, NaN where all scores are -inf.
  virtual Value output(const SoftmaxState &state, Value rows,
                       Value destination) = 0;
  /// A tile in the target's layout, as [Bm, size] in the place of
  /// `destination`.
  Value toRows(Value tileValue, Value destination);
  /// A tile [Bm, size] in the target's layout.
  Value fromRows(Value rows);
  /// The state with one more key, of score `sink` and without a value; a number
  /// of all rows (f32) or one of each [Bm], in nats.
  SoftmaxState withSink(const SoftmaxState &state, Value sink);
  /// The state that comes to a result of `rows` rows, in units of 1.
  SoftmaxState resultState(Value output, Value lse, Value rows);
  /// Two states over disjoint keys as one, whose rows have a factor if
  /// `hasFactor`.
  SoftmaxState merged(const SoftmaxState &x, const SoftmaxState &y,
                      bool hasFactor);
  /// A state and others over disjoint keys, of whose values there are the
  /// means, as one in its place.
  SoftmaxState mergedStored(const SoftmaxState &x,
                            ArrayRef<SoftmaxState> others);

protected:
  using BodyFn = llvm::function_ref<Value(OpBuilder &, ValueRange)>;
  /// What is added up of one tile.
  struct Terms {
    Value alpha;   ///< what A is multiplied by first, [Bm]
    Value weights; ///< of the keys, [Bn, Bm] or [Bm, Bn]
    const ValueTile &values;
    AllowedFn allowed;
  };

  //===------------------------------------------------------------------===//
  // What targets do in ways of their own
  //===------------------------------------------------------------------===//

  /// init + the product of two operands, of which the first runs over the rows
  /// of `init`; `maps` are of (row, column, reduction) to the three.
  virtual Value product(ValueRange operands, ArrayRef<AffineMap> maps,
                        Value init) = 0;
  /// max(x, lowest); NaN stays NaN.
  virtual Value atLeastLowest(OpBuilder &builder, Value x) = 0;
  /// |x|; NaN stays.
  virtual Value magnitude(OpBuilder &builder, Value x) = 0;
  /// scale * q k of what `scores` gives, where a region takes it.
  virtual Value naturalScore(OpBuilder &builder, Value score) = 0;
  /// A score in nats, in the units of m.
  virtual Value inUnits(OpBuilder &builder, Value natural) = 0;
  /// The score of a pair that the mask allows, max(score, lowest) unless the
  /// step trusts that scores are finite.
  virtual Value allowedScore(OpBuilder &builder, Value score) = 0;
  /// exp((score - max) unit)
  virtual Value probability(OpBuilder &builder, Value score, Value max) = 0;
  /// exp((before - max) unit), for an earlier maximum.
  virtual Value rescale(OpBuilder &builder, Value before, Value max) = 0;
  /// alpha A + V^T P
  virtual Value accumulated(Value accumulator, const Terms &terms) = 0;
  /// x / divisor
  virtual Value divided(OpBuilder &builder, Value x, Value divisor) = 0;
  /// m unit + ln l, where l may be 0.
  virtual Value rowLogSumExp(OpBuilder &builder, Value max, Value sum) = 0;

  //===------------------------------------------------------------------===//
  // What those are made of
  //===------------------------------------------------------------------===//

  Value scalar(OpBuilder &builder, double value);
  Value empty(RankedTensorType type);
  /// A f32 tensor of `type`, or in the place of another, filled with `value`.
  Value filled(RankedTensorType type, double value);
  Value filled(Value place, double value);
  AffineExpr queryDim() const { return layout.query(b.getContext()); }
  AffineExpr otherDim() const { return layout.other(b.getContext()); }
  /// An elementwise op over [Bm] (rank 1) or a tile (rank 2); operands of rank
  /// one are broadcast along the queries.
  Value elementwise(ValueRange inputs, Value init, BodyFn body);
  Value reduceOverKeys(Value tileValue, Value init, BodyFn combine);
  /// init + V^T P
  Value valueProduct(Value values, Value weights, Value init);
  /// score -> newScore(score), and then allowedScore(score) where allowed, else
  /// -inf; one of both may be null.
  Value revised(Value scores, ScoreFn newScore, AllowedFn allowed);
  /// alpha x + y, rounded once.
  Value rescaledSum(Value alpha, Value x, Value y);
  /// scf.if on values of one type.
  Value branch(Value condition, Type type, llvm::function_ref<Value()> then,
               llvm::function_ref<Value()> otherwise);
  /// Whether a magnitude is that of a number.
  Value isNumber(OpBuilder &builder, Value size);
  /// The largest magnitude in each row of a tile, or NaN.
  Value largestMagnitude(Value tileValue);
  /// What to divide A by, [Bm]: infinity where no key is live, NaN where all
  /// scores are -inf.
  Value divisor(const SoftmaxState &state);
  /// A tile divided row by row, in the place of `destination`, [Bm, Dv] of any
  /// type.
  Value quotients(Value accumulator, Value divisors, Value destination);

  OpBuilder &b;
  Location loc;
  TileLayout layout;
  plan::TileShape tile;

private:
  /// The maximum and the sum of a state and others, all over disjoint keys, in
  /// its place.
  SoftmaxState mergedSums(const SoftmaxState &x, ArrayRef<SoftmaxState> others);
  /// A power of two by which the sum of weights comes to 1/4 to 1/2, so that
  /// not even rounding makes an accumulator of means overflow; in the place of
  /// `place`.
  Value shareFactor(Value sum, Value place);
  /// 1 / x of a power of two.
  Value inverse(OpBuilder &builder, Value x);
  /// What the accumulator of x is multiplied by in a state that has more keys.
  Value keptShare(const SoftmaxState &x, const SoftmaxState &all);
  /// What the mean of a part of a row's keys counts among all, of which `all`
  /// has the factor.
  Value share(const SoftmaxState &part, const SoftmaxState &all);
  /// total + share mean, rounded once, in the place of `total`.
  Value addedShare(Value share, Value mean, Value total);
  /// The product of a tile that runs over all but the queries, and one that
  /// runs over the queries.
  Value contract(Value other, AffineMap otherMap, Value query,
                 AffineMap queryMap, Value init);
  /// maxnum: a NaN score leaves the maximum alone, and reaches the result
  /// through its probability.
  Value maximum(OpBuilder &builder, Value score, Value max);
  /// What a weight, or a sum of them, counts in A.
  using FactorFn = llvm::function_ref<Value(Value weight)>;
  using FactoredFn =
      llvm::function_ref<Value(OpBuilder &, ValueRange, FactorFn inA)>;
  /// An elementwise op over [Bm] whose body may multiply weights by the factor
  /// of a state's row, where it has any.
  Value factored(ValueRange inputs, const SoftmaxState &state, FactoredFn body);
  /// A mean never exceeds its terms: where x is a number, x / divisor stays
  /// within those of `type`.
  Value quotient(OpBuilder &builder, Value x, Value divisor, FloatType type);
  /// P times a factor of each row. A weight above 0 stays above 0, as times an
  /// infinity it is one.
  Value weighed(Value probabilities, Value factor);
  /// The same by the factors of a state, where it has any.
  Value weighed(Value probabilities, const SoftmaxState &state);
  /// For each row 1, or where A has overflowed, so small a power of two that it
  /// cannot, in the place of `place`.
  Value safeFactor(Value accumulator, Value place);
  /// Infinity where x is `special`, else `otherwise`.
  Value infiniteIf(OpBuilder &builder, Value x, double special,
                   Value otherwise);
  /// `value` where m != lowest, else NaN.
  Value nanIfAllMinusInfinity(OpBuilder &builder, Value max, Value value);
};

/// x widened to f32.
Value toF32(OpBuilder &b, Location loc, Value x);

/// Whether a tile is known to have all `size` rows; of a ragged one they are
/// not known, or known to be fewer.
bool isWhole(Value rows, int64_t size);

/// The first `rows` rows along `dim` of a rank-2 tile.
Value firstRows(OpBuilder &b, Location loc, Value tileValue, unsigned dim,
                Value rows);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_TRANSFORMS_TILEOPS_H
