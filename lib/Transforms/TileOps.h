//===- TileOps.h - Online softmax as linalg ops on tiles --------*- C++ -*-===//
//
// The algorithm of one visited tile (Milakov and Gimelshein 2018; Dao et al.
// 2022), for Bm queries and Bn keys. Scores count in units of `unit` nats, so
// that the unit holds what of the scale neither Q nor S carries:
//
//   S     = K Q^T                       scores
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
// Tiles of (query, x) are laid out [x, query] when the queries are inner (the
// vector lanes of a CPU) and [query, x] otherwise. Operands of 16 bits are
// either widened when a tile is packed (CPU) or kept, as tensor cores take
// them; then Q carries no factor, the exponent does, in base 2, and P is
// rounded to the operands' type. Where P is so rounded, a score's exponent is
// one fused operation, exp2(S c - m c); where it is not, exp2((S - m) c), which
// is exactly 1 for the maximum. Everything else is one code.
//
// That is what trusting steps do. They trust that A stays below the largest
// number, which its mean, the result, always does. Where types are kept, they
// trust their operands besides: that no maximum times the scale is so large
// that rounding it matters, that no masked key has a NaN or an infinity for a
// value, that no row has but scores of -inf, and that a f32 result is not so
// small that products of its parts are lost. Whether they were right shows in
// the state they end with, as a NaN never goes away (isTrusted).
//
// Then the tile is computed again. Where only the size of A can be wrong, the
// same loops run once more; elsewhere exact steps do, which trust nothing. Both
// multiply the weights in A by a factor of each row, so small that A cannot
// overflow.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_TILEOPS_H
#define SPARSEATTN_LIB_TRANSFORMS_TILEOPS_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/Support/MathExtras.h"
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

/// How tiles are held: see the head of this file.
struct TileStyle {
  bool queriesInner = true;
  bool keepTypes = false;
  /// Exponents are S c - m c: one operation, but the rounding of m c, which
  /// all probabilities of a row share, is in them.
  bool fuseScale = false;
  /// Nats that one unit of a score stands for; ln 2 is base 2.
  double unit = 1.0;
  /// Whether steps are exact, see the head of this file.
  bool exact = false;
};

/// V of the visited keys.
struct ValueTile {
  Value tile;  ///< [Bn, Dv], zero past the last key
  Value count; ///< how many keys those are
};

class TileOps {
public:
  /// Whether query q may attend to key k, both indices of the tile.
  using AllowedFn = llvm::function_ref<Value(OpBuilder &, Value k, Value q)>;

  TileOps(OpBuilder &b, Location loc, TileStyle style, plan::TileShape tile)
      : b(b), loc(loc), queriesInner(style.queriesInner),
        keepTypes(style.keepTypes), exact(style.exact), unit(style.unit),
        fusesScale(style.fuseScale && style.unit != llvm::numbers::ln2),
        tile(tile) {}

  OpBuilder &builder() { return b; }

  /// A f32 tile [Bm, size] in the chosen orientation.
  RankedTensorType tileType(int64_t size) const;
  RankedTensorType rowType() const;

  /// A f32 tensor of `type`, or in the place of another, filled with `value`.
  Value filled(RankedTensorType type, double value);
  Value filled(Value place, double value);
  SoftmaxState initialState(int64_t valueSize);
  /// The same in the place of another state.
  SoftmaxState initialState(SoftmaxState place);

  /// [rows, D] in any element type -> [D, Bm] (or [Bm, D]) f32, times `factor`,
  /// zero past `rows` where `rows` is dynamic.
  Value packQuery(Value query, Value rows, double factor);
  /// [rows, size] in any element type -> [Bn, size] f32, zero past `rows`.
  Value packKeys(Value keys, Value rows);
  /// [rows, size] -> [count, size] of the same type, zero past `rows`.
  Value padRows(Value source, Value rows, int64_t count);

  Value scores(Value keyTile, Value queryTile);
  /// score * factor.
  Value scaled(Value scores, double factor);
  /// One step of the algorithm above. Without `allowed`, each row has a live
  /// key in this tile, and no key is masked.
  SoftmaxState update(SoftmaxState state, Value scores, const ValueTile &values,
                      AllowedFn allowed = {});

  /// Whether trusting steps were enough for the first `rows` rows of operands
  /// of `type`, as an i1.
  Value isTrusted(const SoftmaxState &state, Value rows, Type type);
  /// Factors of all rows.
  Value factors(double value);
  /// Of sequences of any length, the least that A needs.
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
  Value output(const SoftmaxState &state, Value rows, Value destination);
  /// A tile in the chosen orientation, as [Bm, size] in the place of
  /// `destination`.
  Value toRows(Value tileValue, Value destination);
  /// A tile [Bm, size] in the chosen orientation.
  Value fromRows(Value rows);
  /// The maximum and the sum of two states over disjoint keys.
  SoftmaxState mergedSums(const SoftmaxState &x, const SoftmaxState &y);
  /// A power of two by which the sum of weights comes to 1/4 to 1/2, so that
  /// not even rounding makes an accumulator of means overflow.
  Value shareFactor(Value sum);
  /// What the mean of a part of a row's keys counts among all, of which `all`
  /// has the factor.
  Value share(const SoftmaxState &part, const SoftmaxState &all);
  /// total + share mean, rounded once, in the place of `total`.
  Value addedShare(Value share, Value mean, Value total);

private:
  TileStyle getStyle() const {
    return {queriesInner, keepTypes, fusesScale, unit, exact};
  }

  using BodyFn = llvm::function_ref<Value(OpBuilder &, ValueRange)>;

  /// An elementwise op over [Bm] (rank 1) or a tile (rank 2); operands of rank
  /// one are broadcast along the queries.
  Value elementwise(ValueRange inputs, Value init, BodyFn body);
  Value reduceOverKeys(Value tileValue, Value init, BodyFn combine);
  Value contract(Value a, AffineMap aMap, Value bOperand, AffineMap bMap,
                 Value init);
  Value empty(RankedTensorType type);
  Value scalar(OpBuilder &builder, double value);
  /// (d0, d1) -> the expression that runs over queries, and over the rest.
  AffineExpr queryDim() const;
  AffineExpr otherDim() const;
  /// A map to (other, query) or (query, other) in the chosen orientation.
  AffineMap oriented(unsigned numDims, AffineExpr query,
                     AffineExpr other) const;
  /// max(x, lowest); NaN stays NaN.
  Value atLeastLowest(OpBuilder &builder, Value x);
  /// maxnum: a NaN score leaves the maximum alone, and reaches the result
  /// through its probability.
  Value maximum(OpBuilder &builder, Value score, Value max);
  /// exp((x - max) unit)
  Value exponential(OpBuilder &builder, Value x, Value max);
  /// The same for a score, and for an earlier maximum.
  Value probability(OpBuilder &builder, Value score, Value max);
  Value rescale(OpBuilder &builder, Value before, Value max);
  Value inBaseTwo(OpBuilder &builder, Value max);
  /// m unit + ln l for l > 0, rounded about once.
  Value preciseLogSumExp(OpBuilder &builder, Value max, Value sum);
  /// What probabilities relative to m c as rounded add to ln l, in nats.
  Value lostInBaseTwo(OpBuilder &builder, Value max);
  /// What exponents are relative to: base c + shift.
  struct Anchor {
    Value base, shift;
  };
  Anchor anchor(OpBuilder &builder, Value max);
  /// Whether m c is too large to be rounded.
  Value isLarge(OpBuilder &builder, Value maxInBaseTwo);
  /// |x|; NaN stays.
  Value magnitude(OpBuilder &builder, Value x);
  /// Whether a magnitude is that of a number.
  Value isNumber(OpBuilder &builder, Value size);
  Value isTrustedOfRows(const SoftmaxState &state, Value rows);
  /// Whether no element of a tile is NaN or infinite, as an i1.
  Value isFinite(Value tileValue);
  /// Whether no result of the first `rows` rows, other than 0, is so small that
  /// the parts that tensor cores take of f32 have lost some of it, as an i1.
  Value areLarge(const SoftmaxState &state, Value rows);
  /// Whether the parts that tensor cores take of f32 are all of each element of
  /// a tile, as an i1.
  Value haveParts(Value tileValue);
  /// Whether a predicate holds for all elements.
  Value holdsForAll(Value source, BodyFn predicate);
  /// The largest magnitude in each row of a tile, or NaN.
  Value largestMagnitude(Value tileValue);
  /// What to divide A by, [Bm]: infinity where no key is live, NaN where all
  /// scores are -inf.
  Value divisor(const SoftmaxState &state);
  /// The sum of the weights in A.
  Value weightsOf(OpBuilder &builder, Value sum, Value factor);
  /// x / divisor, or with types kept x * (1 / divisor). A mean never exceeds
  /// its terms: where x is a number, it stays within those of `type`.
  Value quotient(OpBuilder &builder, Value x, Value divisor, FloatType type);
  /// alpha x + y, rounded once.
  Value rescaledSum(Value alpha, Value x, Value y);
  /// score -> max(score, lowest) where allowed, else -inf.
  Value masked(Value scores, AllowedFn allowed);
  /// What is added up of one tile.
  struct Terms {
    Value alpha;   ///< what A is multiplied by first, [Bm]
    Value weights; ///< of the keys, [Bn, Bm] or [Bm, Bn]
    const ValueTile &values;
    AllowedFn allowed;
  };
  /// alpha A + V^T P
  Value accumulated(Value accumulator, const Terms &terms);
  /// Whether tensor cores, or a CPU's product of whole tiles, may add up, as an
  /// i1; null where they always may.
  Value isPlain(const Terms &terms);
  /// The product of whole tiles, and what takes its place where V has a NaN or
  /// an infinity: on CPUs, on GPUs.
  Value accumulatedProduct(Value accumulator, const Terms &terms);
  Value accumulatedWhereAllowed(Value accumulator, const Terms &terms);
  Value accumulatedByKey(Value accumulator, const Terms &terms);
  /// x times a factor of each row.
  Value rescaled(Value factor, Value tileValue);
  Value columnOf(Value tileValue, Value key);
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
  /// P as the second product takes it, rounded to `type`.
  Value rounded(Value probabilities, Type type);

  OpBuilder &b;
  Location loc;
  bool queriesInner, keepTypes, exact;
  double unit;
  bool fusesScale;
  plan::TileShape tile;
};

/// x widened to f32.
Value toF32(OpBuilder &b, Location loc, Value x);

/// The first `rows` rows along `dim` of a rank-2 tile.
Value firstRows(OpBuilder &b, Location loc, Value tileValue, unsigned dim,
                Value rows);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_TILEOPS_H
