//===- Fragment.cpp - What one thread holds of a tile ---------------------===//

#include "Fragment.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

static Value constantI32(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}

Threads::Threads(OpBuilder &b, gpu::LaunchOp launch, int64_t numWarps)
    : numWarps(numWarps) {
  Location loc = launch.getLoc();
  thread = arith::IndexCastOp::create(b, loc, b.getI32Type(),
                                      launch.getThreadIds().x);
  number(b, loc);
}

Value kernels::hidden(OpBuilder &b, Location loc, Value value) {
  return NVVM::ShflOp::create(b, loc, b.getI32Type(), constantI32(b, loc, -1),
                              value, constantI32(b, loc, 0),
                              constantI32(b, loc, 31), NVVM::ShflKind::bfly,
                              /*return_value_and_is_valid=*/UnitAttr());
}

Threads Threads::renumbered(OpBuilder &b, Location loc) const {
  Threads copy = *this;
  copy.thread = hidden(b, loc, thread);
  copy.number(b, loc);
  return copy;
}

void Threads::number(OpBuilder &b, Location loc) {
  auto shift = [&](Value x, int64_t bits) {
    return arith::ShRUIOp::create(b, loc, x, constantI32(b, loc, bits));
  };
  auto mask = [&](Value x, int64_t bits) {
    return arith::AndIOp::create(b, loc, x, constantI32(b, loc, bits));
  };
  warp = shift(thread, 5);
  lane = mask(thread, 31);
  group = shift(lane, 2);
  quad = mask(lane, 3);
}

int64_t Threads::count(Extent extent, int64_t rows, int64_t columns) const {
  return (extent.rows ? bands(rows) * 2 : 1) *
         (extent.columns ? columns / 4 : 1);
}

Value Threads::firstRow(OpBuilder &b, Location loc, int64_t rows) const {
  return arith::MulIOp::create(b, loc, warp,
                               constantI32(b, loc, 16 * bands(rows)));
}

Value Threads::rowOf(OpBuilder &b, Location loc, int64_t rows, int64_t band,
                     int64_t half) const {
  Value first = arith::AddIOp::create(b, loc, firstRow(b, loc, rows), group);
  return b.createOrFold<arith::AddIOp>(
      loc, first, constantI32(b, loc, 16 * band + 8 * half));
}

Value Threads::columnOf(OpBuilder &b, Location loc, int64_t c) const {
  Value pair = arith::MulIOp::create(b, loc, quad, constantI32(b, loc, 2));
  return b.createOrFold<arith::AddIOp>(loc, pair, constantI32(b, loc, 8 * c));
}

Type kernels::lanesType(Type element, Extent extent, int64_t count) {
  if (extent.isUniform())
    return element;
  return VectorType::get({count}, element);
}

Value kernels::shuffle(OpBuilder &b, Location loc, Value source,
                       ArrayRef<int64_t> places) {
  return vector::ShuffleOp::create(b, loc, source, source, places);
}

Value Threads::expand(OpBuilder &b, Location loc, const Fragment &fragment,
                      Extent extent, int64_t rows, int64_t columns) const {
  if (fragment.extent == extent)
    return fragment.lanes;
  if (fragment.extent.isUniform()) {
    auto type = VectorType::get({count(extent, rows, columns)},
                                fragment.lanes.getType());
    return b.createOrFold<vector::BroadcastOp>(loc, type, fragment.lanes);
  }
  // A tile is made of its rows or its columns.
  SmallVector<int64_t> places;
  for (int64_t band = 0; band < bands(rows); ++band)
    for (int64_t c = 0; c < columns / 8; ++c)
      for (int64_t half = 0; half < 2; ++half)
        for (int64_t e = 0; e < 2; ++e)
          places.push_back(fragment.extent.rows ? 2 * band + half : 2 * c + e);
  return shuffle(b, loc, fragment.lanes, places);
}

Value kernels::reduceOverQuad(
    OpBuilder &b, Location loc, Value value,
    llvm::function_ref<Value(OpBuilder &, Value, Value)> join) {
  auto type = cast<VectorType>(value.getType());
  Value everyLane = constantI32(b, loc, -1), clamp = constantI32(b, loc, 31);
  for (int64_t distance : {1, 2}) {
    Value offset = constantI32(b, loc, distance);
    SmallVector<Value> moved;
    for (int64_t i = 0; i < type.getNumElements(); ++i) {
      Value element = vector::ExtractOp::create(b, loc, value, i);
      moved.push_back(NVVM::ShflOp::create(
          b, loc, type.getElementType(), everyLane, element, offset, clamp,
          NVVM::ShflKind::bfly, /*return_value_and_is_valid=*/UnitAttr()));
    }
    Value others = vector::FromElementsOp::create(b, loc, type, moved);
    value = join(b, value, others);
  }
  return value;
}
