//===- FloatTiles.h - Steps on f32 tiles in linalg.generic ------*- C++ -*-===//
//
// Operands of 16 bits are widened when a tile is packed, and all products are
// linalg.generic on f32, in either layout of tiles. Where Q is packed, it takes
// a part of the scale. Steps trust nothing but the size of A, so that the same
// loops compute a tile again.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TRANSFORMS_FLOATTILES_H
#define SPARSEATTN_TRANSFORMS_FLOATTILES_H

#include "SparseAttn/Transforms/DecomposeSteps.h"

namespace mlir::sparse_attn::transforms {

/// Builds the code of steps on f32 tiles.
class FloatTiles : public TileOps {
public:
  FloatTiles(OpBuilder &b, Location loc, TileLayout layout,
             const StepInfo &step);

  Value packQuery(Value query, Value rows) override;
  Value packKeys(Value keys, Value rows) override;
  Value packResult(Value output, Value rows) override;
  Value packRow(Value row, Value rows, double padding) override;
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
  /// exp((x - max) unit)
  Value exponential(OpBuilder &builder, Value x, Value max);
  /// The product of whole tiles.
  Value accumulatedProduct(Value accumulator, const Terms &terms);
  /// What takes its place where V has a NaN or an infinity.
  Value accumulatedWhereAllowed(Value accumulator, const Terms &terms);
  /// Whether no element of a tile is NaN or infinite, as an i1.
  Value isFinite(Value tileValue);

  /// scale = queryFactor * scoreFactor * unit: the factors of Q, of S where a
  /// region takes it, and of the exponent.
  double queryFactor = 1.0, scoreFactor = 1.0, unit = 1.0;
};

/// Computes steps by FloatTiles.
class FloatTarget : public StepTarget {
public:
  explicit FloatTarget(TileLayout layout) : layout(layout) {}
  std::unique_ptr<TileOps> tiles(OpBuilder &b, Location loc,
                                 const StepInfo &step) const override;

private:
  TileLayout layout;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_TRANSFORMS_FLOATTILES_H
