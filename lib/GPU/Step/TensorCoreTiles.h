//===- TensorCoreTiles.h - Steps on tiles for tensor cores ------*- C++ -*-===//
//
// Tiles [query, x] of operands in their own types, as tensor cores take them,
// and products as linalg.contract. So Q carries no factor; the exponent does,
// in base 2, c = unit log2(e), and P is rounded to the operands' type. Where P
// is so rounded, a score's exponent is one fused operation, exp2(S c - m c);
// where it is not, exp2((S - m) c), which is exactly 1 for the maximum.
//
// Trusting steps trust their operands besides the size of A: that no maximum
// times the scale is so large that rounding it matters, that no masked key has
// a NaN or an infinity for a value, that no row has but scores of -inf, and
// that a f32 result is not so small that products of its parts are lost. It is
// exact steps that compute a tile again.
//
// All of this shows in the state that steps end with, and none of it is
// concluded from Q and K: so a region that makes new scores, whatever they are,
// breaks no more of it than operands do.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_STEP_TENSORCORETILES_H
#define SPARSEATTN_LIB_GPU_STEP_TENSORCORETILES_H

#include "SparseAttn/Transforms/DecomposeSteps.h"

namespace mlir::sparse_attn::kernels {

using transforms::SoftmaxState;
using transforms::StepInfo;
using transforms::TileOps;

/// Builds the code of steps for tensor cores.
class TensorCoreTiles : public TileOps {
public:
  TensorCoreTiles(OpBuilder &b, Location loc, const StepInfo &step);

  Value packQuery(Value query, Value rows) override;
  Value packKeys(Value keys, Value rows) override;
  Value packResult(Value output, Value rows) override;
  Value packRow(Value row, Value rows, double padding) override;
  Value scores(Value keyTile, Value queryTile) override;
  void tellReach(const RowReach &reach) override;
  Value isTrusted(const SoftmaxState &state, Value rows, Type type) override;
  Value output(const SoftmaxState &state, Value rows,
               Value destination) override;

protected:
  Value product(ValueRange operands, ArrayRef<AffineMap> maps,
                Value init) override;
  Value atLeastLowest(OpBuilder &builder, Value x) override;
  Value magnitude(OpBuilder &builder, Value x) override;
  Value naturalScore(OpBuilder &builder, Value score) override;
  Value inUnits(OpBuilder &builder, Value natural) override;
  Value allowedScore(OpBuilder &builder, Value score) override;
  Value probability(OpBuilder &builder, Value score, Value max) override;
  Value rescale(OpBuilder &builder, Value before, Value max) override;
  Value accumulated(Value accumulator, const Terms &terms) override;
  Value divided(OpBuilder &builder, Value x, Value divisor) override;
  Value rowLogSumExp(OpBuilder &builder, Value max, Value sum) override;

private:
  /// [rows, size] -> [count, size] of the same type, zero past `rows`.
  Value padRows(Value source, Value rows, int64_t count, double padding);
  /// Whether exponents are S c - m c: one operation, but the rounding of m c,
  /// which all probabilities of a row share, is in them.
  bool fusesScale() const;
  /// exp((x - max) unit)
  Value exponential(OpBuilder &builder, Value x, Value max);
  /// m c, finite for finite m.
  Value inBaseTwo(OpBuilder &builder, Value max);
  /// What exponents are relative to: base c + shift.
  struct Anchor {
    Value base, shift;
  };
  Anchor anchor(OpBuilder &builder, Value max);
  /// Whether m c is too large to be rounded.
  Value isLarge(OpBuilder &builder, Value maxInBaseTwo);
  /// m unit + ln l for l > 0, rounded about once.
  Value preciseLogSumExp(OpBuilder &builder, Value max, Value sum);
  /// What probabilities relative to m c as rounded add to ln l, in nats.
  Value lostInBaseTwo(OpBuilder &builder, Value max);

  /// P as the second product takes it, rounded to `type`.
  Value rounded(Value probabilities, Type type);
  /// x times a factor of each row.
  Value rescaled(Value factor, Value tileValue);
  /// Whether tensor cores may add up, as an i1; null where they always may.
  Value isPlain(const Terms &terms);
  /// The product of whole tiles.
  Value accumulatedProduct(Value accumulator, const Terms &terms);
  /// What takes its place where tensor cores may not add up.
  Value accumulatedByKey(Value accumulator, const Terms &terms);
  Value columnOf(Value tileValue, Value key);

  Value isTrustedOfRows(const SoftmaxState &state, Value rows);
  /// Whether no result of the first `rows` rows, other than 0, is so small that
  /// the parts that tensor cores take of f32 have lost some of it, as an i1.
  Value areLarge(const SoftmaxState &state, Value rows);
  /// Whether the parts that tensor cores take of f32 are all of each element of
  /// a tile, as an i1.
  Value haveParts(Value tileValue);
  /// Whether no element of a tile is NaN or infinite, as an i1.
  Value isFinite(Value tileValue);
  /// Whether a predicate holds for all elements.
  Value holdsForAll(Value source, BodyFn predicate);

  StepInfo step;
  /// scale = scoreFactor * unit: the factors of S and of the exponent. Where a
  /// region takes natural scores, it is there that they are scaled, and unit
  /// = 1.
  double scoreFactor = 1.0, unit = 1.0;
};

/// Computes steps by TensorCoreTiles.
class TensorCoreTarget : public transforms::StepTarget {
public:
  std::unique_ptr<TileOps> tiles(OpBuilder &b, Location loc,
                                 const StepInfo &step) const override;
  bool hasFactor(StateType state) const override;
  bool copiesRows() const override { return true; }
  bool writesRows() const override { return true; }
  int64_t statesAtOnce(StateType state) const override;
};

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_STEP_TENSORCORETILES_H
