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
// The loops trust that A stays below the largest number, which its mean, the
// result, always does. Where types are kept, they trust their operands besides:
// that no maximum times the scale is so large that rounding it matters, that no
// masked key has a NaN or an infinity for a value, that no row has but scores
// of -inf, and that a f32 result is not so small that products of its parts are
// lost. Whether they were right shows in the state they end with (isTrusted,
// isFinite), as a NaN never goes away; where not, the tile is computed again by
// careful steps, with weights so small that A cannot overflow. So the loops
// that count pay nothing for any of it.
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
/// accumulator [Dv, Bm] (or [Bm, Dv]), all f32.
struct SoftmaxState {
  Value max, sum, accumulator;

  SmallVector<Value> values() const { return {max, sum, accumulator}; }
  static SoftmaxState from(ValueRange values) {
    return {values[0], values[1], values[2]};
  }
};

/// A state, and the sum [Bm] of the weights that are in its accumulator: l, but
/// for a factor that kept the accumulator from overflowing.
struct RowResults {
  SoftmaxState state;
  Value weights;
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
  /// With `keepTypes`: trust nothing, see the head of this file.
  bool careful = false;
};

/// V of the visited keys.
struct ValueTile {
  Value tile;  ///< [Bn, Dv], zero past the last key
  Value count; ///< how many keys those are
  /// Careful steps: what each row's weights are multiplied by, [Bm], or null;
  /// where `isWeighed` is not null, only if that i1 holds.
  Value factor = {}, isWeighed = {};
  /// Careful steps where types are kept: an i1, whether to add up key by key
  /// without tensor cores; or null.
  Value byKey = {};
};

class TileOps {
public:
  /// Whether query q may attend to key k, both indices of the tile.
  using AllowedFn = llvm::function_ref<Value(OpBuilder &, Value k, Value q)>;

  TileOps(OpBuilder &b, Location loc, TileStyle style, plan::TileShape tile)
      : b(b), loc(loc), queriesInner(style.queriesInner),
        keepTypes(style.keepTypes), careful(style.careful), unit(style.unit),
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

  /// Whether careless steps were enough for the first `rows` rows, as an i1.
  Value isTrusted(const SoftmaxState &state, Value rows);
  /// Whether no element of a tile is NaN or infinite, as an i1.
  Value isFinite(Value tileValue);
  /// Whether no result of the first `rows` rows, other than 0, is so small that
  /// the parts that tensor cores take of f32 have lost some of it, as an i1.
  Value areLarge(const SoftmaxState &state, Value rows);
  /// For each row 1, or where A has overflowed, so small a power of two that it
  /// cannot: [Bm], in the place of `place` unless that is null.
  Value safeFactor(Value accumulator, Value place = {});

  /// l times what each row's weights in A are multiplied by.
  Value factored(Value sum, Value factor);
  /// What to divide A by: the sum of its weights; infinity where no key is
  /// live, NaN where all scores are -inf.
  Value divisor(Value max, Value weights);
  /// What A / weights is in f32; 0 where all weights are.
  Value means(const RowResults &results);
  /// What the mean of a part of a row's keys counts in that of all: half of its
  /// share of the sum, so that not even rounding makes the whole overflow.
  static constexpr double kWholeShare = 0.5;
  Value share(const SoftmaxState &part, const SoftmaxState &all, Value divisor);
  /// m unit + ln l, the natural log-sum-exp; -inf where no key is live, NaN
  /// where all scores are -inf.
  Value logSumExp(const SoftmaxState &state);
  /// Writes A / divisor, rounded, to `destination` [rows, Dv].
  Value normalised(Value accumulator, Value divisor, Value rows,
                   Value destination);
  /// A tile in the chosen orientation, as [Bm, size] in the place of
  /// `destination`.
  Value toRows(Value tileValue, Value destination);
  /// A tile [Bm, size] in the chosen orientation.
  Value fromRows(Value rows);
  /// Merges two states over disjoint keys, of which both or neither have an
  /// accumulator.
  SoftmaxState merged(SoftmaxState x, SoftmaxState y);
  /// total + share mean, rounded once, in the place of `total`.
  Value addedShare(Value share, Value mean, Value total);

private:
  TileStyle getStyle() const {
    return {queriesInner, keepTypes, fusesScale, unit, careful};
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
  /// Whether a predicate holds for all elements.
  Value holdsForAll(Value source, BodyFn predicate);
  /// The largest magnitude in each row of a tile, or NaN.
  Value largestMagnitude(Value tileValue);
  /// x / divisor, or with types kept x * (1 / divisor). A mean never exceeds
  /// its terms: where x is a number, it stays within those of `type`.
  Value quotient(OpBuilder &builder, Value x, Value divisor, FloatType type);
  /// alpha x + y, rounded once.
  Value rescaledSum(Value alpha, Value x, Value y);
  /// score -> max(score, lowest) where allowed, else -inf.
  Value masked(Value scores, AllowedFn allowed);
  /// alpha A + V^T P
  Value accumulated(Value alpha, Value accumulator, const ValueTile &values,
                    Value probabilities, AllowedFn allowed);
  /// The same on the paths of a tile with and without NaN or infinity in V.
  Value accumulatedProduct(Value alpha, Value accumulator, Value valueTile,
                           Value probabilities);
  Value accumulatedWhereAllowed(Value alpha, Value accumulator, Value valueTile,
                                Value probabilities, AllowedFn allowed);
  /// alpha A
  Value rescaled(Value alpha, Value accumulator);
  Value columnOf(Value tileValue, Value key);
  Value accumulatedByKey(Value accumulator, const ValueTile &values,
                         Value probabilities, AllowedFn allowed);
  /// P times a factor of each row. A weight above 0 stays above 0, as times an
  /// infinity it is one.
  Value weighed(Value probabilities, Value factor);
  /// The same where `condition` holds, unless that is null.
  Value weighed(Value probabilities, Value factor, Value condition);
  /// Infinity where x is `special`, else `otherwise`.
  Value infiniteIf(OpBuilder &builder, Value x, double special,
                   Value otherwise);
  /// `value` where m != lowest, else NaN.
  Value nanIfAllMinusInfinity(OpBuilder &builder, Value max, Value value);
  /// P as the second product takes it, rounded to `type`.
  Value rounded(Value probabilities, Type type);

  OpBuilder &b;
  Location loc;
  bool queriesInner, keepTypes, careful;
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
