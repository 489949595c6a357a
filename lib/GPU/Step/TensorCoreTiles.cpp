//===- TensorCoreTiles.cpp - Steps on tiles for tensor cores --------------===//

#include "TensorCoreTiles.h"
#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "SparseAttn/Target/Target.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;
using namespace mlir::sparse_attn::transforms;

std::unique_ptr<TileOps> TensorCoreTarget::tiles(OpBuilder &b, Location loc,
                                                 const StepInfo &step) const {
  return std::make_unique<TensorCoreTiles>(b, loc, step);
}

/// It is by exact steps that tiles are computed again.
bool TensorCoreTarget::hasFactor(StateType state) const {
  return StepTarget::hasFactor(state) && !state.getTrusting();
}

/// A lane of a warp loads up to 64 of so many elements, a quarter of its
/// registers.
int64_t TensorCoreTarget::statesAtOnce(StateType state) const {
  constexpr int64_t elements = 2048;
  return std::clamp<int64_t>(elements /
                                 (state.getRows() * state.getValueSize()),
                             1, target::kMergedAtOnce);
}

/// The exponent takes a positive scale, and scores any other, then in base 2;
/// where a region takes natural scores, they have all of it.
TensorCoreTiles::TensorCoreTiles(OpBuilder &b, Location loc,
                                 const StepInfo &step)
    : TileOps(b, loc, TileLayout::queriesOuter(),
              {step.state.getRows(), step.keys}),
      step(step) {
  if (step.hasScore)
    return;
  // A sink in units of a smaller scale might be too large for a number.
  constexpr double least = 0x1p-64;
  bool isUnit = step.scale >= least &&
                step.scale <= std::numeric_limits<float>::max() / 2;
  if (isUnit) {
    unit = step.scale;
    return;
  }
  unit = llvm::numbers::ln2;
  scoreFactor = step.scale * llvm::numbers::log2e;
}

/// f32 probabilities would show the rounding of m c.
bool TensorCoreTiles::fusesScale() const {
  return !step.state.getElementType().isF32() && unit != llvm::numbers::ln2;
}

Value TensorCoreTiles::packQuery(Value query, Value rows) {
  return padRows(query, rows, tile.queries, 0.0);
}

Value TensorCoreTiles::packKeys(Value keys, Value rows) {
  return padRows(keys, rows, tile.keys, 0.0);
}

Value TensorCoreTiles::packResult(Value output, Value rows) {
  Value padded = padRows(output, rows, tile.queries, 0.0);
  auto type = cast<RankedTensorType>(padded.getType());
  if (type.getElementType().isF32())
    return padded;
  return elementwise({padded}, empty(tileType(type.getDimSize(1))),
                     [&](OpBuilder &nested, ValueRange args) {
                       return toF32(nested, loc, args[0]);
                     });
}

Value TensorCoreTiles::packRow(Value row, Value rows, double padding) {
  return padRows(row, rows, tile.queries, padding);
}

Value TensorCoreTiles::padRows(Value source, Value rows, int64_t count,
                               double padding) {
  auto type = cast<RankedTensorType>(source.getType());
  if (type.getDimSize(0) == count)
    return source;
  Value missing = b.createOrFold<arith::SubIOp>(
      loc, arith::ConstantIndexOp::create(b, loc, count), rows);
  Value value = arith::ConstantOp::create(
      b, loc, b.getFloatAttr(type.getElementType(), padding));
  SmallVector<OpFoldResult> low(type.getRank(), b.getIndexAttr(0)), high = low;
  high.front() = getAsOpFoldResult(missing);
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = count;
  auto padded = RankedTensorType::get(shape, type.getElementType());
  return tensor::PadOp::create(b, loc, padded, source, low, high, value);
}

/// In exact steps the threads of a block meet.
void TensorCoreTiles::tellReach(const RowReach &reach) {
  if (!step.exact)
    LiveRowsOp::create(b, loc, reach.live.begin, reach.live.end,
                       reach.full.begin, reach.full.end);
}

/// One instruction.
Value TensorCoreTiles::atLeastLowest(OpBuilder &nested, Value x) {
  return arith::MaximumFOp::create(nested, loc, x, scalar(nested, kLowest));
}

/// |x| in operations that kernels have.
Value TensorCoreTiles::magnitude(OpBuilder &nested, Value x) {
  Value negated = arith::NegFOp::create(nested, loc, x);
  return arith::MaximumFOp::create(nested, loc, x, negated);
}

Value TensorCoreTiles::naturalScore(OpBuilder &nested, Value score) {
  return arith::MulFOp::create(nested, loc, score, scalar(nested, step.scale));
}

Value TensorCoreTiles::inUnits(OpBuilder &nested, Value natural) {
  if (unit == 1.0)
    return natural;
  return arith::MulFOp::create(nested, loc, natural, scalar(nested, 1 / unit));
}

Value TensorCoreTiles::allowedScore(OpBuilder &nested, Value score) {
  return step.exact ? atLeastLowest(nested, score) : score;
}

/// x * (1 / divisor), as a division is not one instruction.
Value TensorCoreTiles::divided(OpBuilder &nested, Value x, Value divisor) {
  Value inverse =
      arith::DivFOp::create(nested, loc, scalar(nested, 1.0), divisor);
  return arith::MulFOp::create(nested, loc, x, inverse);
}

/// Whole tiles can become vectors; only the last step looks at the rows.
Value TensorCoreTiles::output(const SoftmaxState &state, Value rows,
                              Value destination) {
  Value weights = divisor(state);
  Value place = empty(cast<RankedTensorType>(state.accumulator.getType())
                          .clone(getElementTypeOrSelf(destination)));
  Value result = quotients(state.accumulator, weights, place);
  if (isWhole(rows, tile.queries))
    return result;
  return firstRows(b, loc, result, layout.queryDim(), rows);
}
