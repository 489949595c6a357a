//===- FloatTiles.cpp - Steps on f32 tiles in linalg.generic --------------===//

#include "SparseAttn/Transforms/FloatTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

static constexpr auto parallel = utils::IteratorType::parallel;
static constexpr auto reduction = utils::IteratorType::reduction;

std::unique_ptr<TileOps> FloatTarget::tiles(OpBuilder &b, Location loc,
                                            const StepInfo &step) const {
  return std::make_unique<FloatTiles>(b, loc, layout, step);
}

/// Q takes the sign, so that a running maximum is one, and a power of two,
/// which rounds nothing and keeps large scores in range; the exponent takes the
/// rest, or S does, where a region takes it in natural units.
FloatTiles::FloatTiles(OpBuilder &b, Location loc, TileLayout layout,
                       const StepInfo &step)
    : TileOps(b, loc, layout, {step.state.getRows(), step.keys}) {
  double size = std::fabs(step.scale);
  // No normal number is left for the exponent: -inf times it must be -inf.
  if (size < std::numeric_limits<float>::min()) {
    queryFactor = step.scale;
    return;
  }
  double power = size < 1.0 ? std::exp2(std::ilogb(size)) : 1.0;
  queryFactor = std::copysign(power, step.scale);
  double &rest = step.hasScore ? scoreFactor : unit;
  rest = std::min<double>(size / power, std::numeric_limits<float>::max());
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// Copies source [rows, x] into the leading rows of `destination`, whose
/// dimension `rowDim` runs over rows, converting each element with `convert`.
static Value copyRows(OpBuilder &b, Location loc, Value source,
                      Value destination, unsigned rowDim, Value rows,
                      llvm::function_ref<Value(OpBuilder &, Value)> convert) {
  bool ragged = !isWhole(
      rows, cast<RankedTensorType>(destination.getType()).getDimSize(rowDim));
  Value target =
      ragged ? firstRows(b, loc, destination, rowDim, rows) : destination;
  SmallVector<unsigned> permutation = {0, 1};
  if (rowDim == 1)
    permutation = {1, 0};
  SmallVector<AffineMap> maps = {
      b.getMultiDimIdentityMap(2),
      AffineMap::getPermutationMap(permutation, b.getContext())};
  SmallVector<utils::IteratorType> iterators(2, parallel);
  Value copied =
      linalg::GenericOp::create(
          b, loc, target.getType(), source, target, maps, iterators,
          [&](OpBuilder &nested, Location, ValueRange args) {
            linalg::YieldOp::create(nested, loc, convert(nested, args[0]));
          })
          .getResult(0);
  if (!ragged)
    return copied;
  auto slice = target.getDefiningOp<tensor::ExtractSliceOp>();
  return tensor::InsertSliceOp::create(
      b, loc, copied, destination, slice.getMixedOffsets(),
      slice.getMixedSizes(), slice.getMixedStrides());
}

Value FloatTiles::packQuery(Value query, Value rows) {
  int64_t size = cast<RankedTensorType>(query.getType()).getDimSize(1);
  RankedTensorType type = tileType(size);
  Value destination =
      isWhole(rows, tile.queries) ? empty(type) : filled(type, 0.0);
  return copyRows(b, loc, query, destination, layout.queryDim(), rows,
                  [&](OpBuilder &nested, Value x) -> Value {
                    return arith::MulFOp::create(nested, loc,
                                                 toF32(nested, loc, x),
                                                 scalar(nested, queryFactor));
                  });
}

Value FloatTiles::packKeys(Value keys, Value rows) {
  auto sliceType = cast<RankedTensorType>(keys.getType());
  if (sliceType.getElementType().isF32() &&
      staticDim(sliceType, 0) == tile.keys)
    return keys;
  int64_t size = sliceType.getDimSize(1);
  auto type = RankedTensorType::get({tile.keys, size}, b.getF32Type());
  Value destination =
      isWhole(rows, tile.keys) ? empty(type) : filled(type, 0.0);
  return copyRows(
      b, loc, keys, destination, 0, rows,
      [&](OpBuilder &nested, Value x) { return toF32(nested, loc, x); });
}

Value FloatTiles::packResult(Value output, Value rows) {
  RankedTensorType type =
      tileType(cast<RankedTensorType>(output.getType()).getDimSize(1));
  Value destination =
      isWhole(rows, tile.queries) ? empty(type) : filled(type, 0.0);
  return copyRows(
      b, loc, output, destination, layout.queryDim(), rows,
      [&](OpBuilder &nested, Value x) { return toF32(nested, loc, x); });
}

Value FloatTiles::packRow(Value row, Value rows, double padding) {
  if (isWhole(rows, tile.queries))
    return row;
  SmallVector<OpFoldResult> zero = {b.getIndexAttr(0)},
                            size = {getAsOpFoldResult(rows)},
                            one = {b.getIndexAttr(1)};
  return tensor::InsertSliceOp::create(b, loc, row, filled(rowType(), padding),
                                       zero, size, one);
}

//===----------------------------------------------------------------------===//
// Scores and probabilities
//===----------------------------------------------------------------------===//

Value FloatTiles::product(ValueRange operands, ArrayRef<AffineMap> maps,
                          Value init) {
  SmallVector<utils::IteratorType> iterators = {parallel, parallel, reduction};
  return linalg::GenericOp::create(
             b, loc, init.getType(), operands, init, maps, iterators,
             [&](OpBuilder &nested, Location, ValueRange args) {
               Value product = arith::MulFOp::create(
                   nested, loc, toF32(nested, loc, args[0]),
                   toF32(nested, loc, args[1]));
               Value sum = arith::AddFOp::create(nested, loc, args[2], product,
                                                 arith::FastMathFlags::reassoc);
               linalg::YieldOp::create(nested, loc, sum);
             })
      .getResult(0);
}

Value FloatTiles::atLeastLowest(OpBuilder &nested, Value x) {
  Value lowest = scalar(nested, kLowest);
  Value isBelow =
      arith::CmpFOp::create(nested, loc, arith::CmpFPredicate::OLT, x, lowest);
  return arith::SelectOp::create(nested, loc, isBelow, lowest, x);
}

Value FloatTiles::magnitude(OpBuilder &nested, Value x) {
  return math::AbsFOp::create(nested, loc, x);
}

Value FloatTiles::naturalScore(OpBuilder &nested, Value score) {
  if (scoreFactor == 1.0)
    return score;
  return arith::MulFOp::create(nested, loc, score, scalar(nested, scoreFactor));
}

Value FloatTiles::inUnits(OpBuilder &nested, Value natural) {
  if (unit == 1.0)
    return natural;
  return arith::MulFOp::create(nested, loc, natural, scalar(nested, 1 / unit));
}

Value FloatTiles::allowedScore(OpBuilder &nested, Value score) {
  return atLeastLowest(nested, score);
}

Value FloatTiles::exponential(OpBuilder &nested, Value x, Value max) {
  Value difference = arith::SubFOp::create(nested, loc, x, max);
  // The product need not be rounded before the exponential reduces it.
  if (unit != 1.0)
    difference =
        arith::MulFOp::create(nested, loc, difference, scalar(nested, unit),
                              arith::FastMathFlags::contract);
  return math::ExpOp::create(nested, loc, difference,
                             arith::FastMathFlags::afn);
}

Value FloatTiles::probability(OpBuilder &nested, Value score, Value max) {
  return exponential(nested, score, max);
}

Value FloatTiles::rescale(OpBuilder &nested, Value before, Value max) {
  return exponential(nested, before, max);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

Value FloatTiles::divided(OpBuilder &nested, Value x, Value divisor) {
  return arith::DivFOp::create(nested, loc, x, divisor);
}

Value FloatTiles::rowLogSumExp(OpBuilder &nested, Value max, Value sum) {
  Value log = math::LogOp::create(nested, loc, sum);
  return math::FmaOp::create(nested, loc, max, scalar(nested, unit), log);
}

Value FloatTiles::output(const SoftmaxState &state, Value rows,
                         Value destination) {
  Value accumulator = state.accumulator, weights = divisor(state);
  if (!isWhole(rows, tile.queries)) {
    accumulator = firstRows(b, loc, accumulator, layout.queryDim(), rows);
    SmallVector<OpFoldResult> zero = {b.getIndexAttr(0)},
                              size = {getAsOpFoldResult(rows)},
                              one = {b.getIndexAttr(1)};
    weights = tensor::ExtractSliceOp::create(b, loc, weights, zero, size, one);
  }
  return quotients(accumulator, weights, destination);
}
