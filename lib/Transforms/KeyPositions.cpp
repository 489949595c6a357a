//===- KeyPositions.cpp - Where the slots of a tile stand -----------------===//

#include "KeyPositions.h"
#include "EmitTileExpr.h"
#include "SparseAttn/Mask/Mask.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// The positions of a list as a constant of at least `size` slots.
static Value listedPositions(OpBuilder &b, Location loc, const Layout &layout,
                             int64_t size) {
  SmallVector<int32_t> positions;
  for (int64_t slot = 0; slot < *layout.numSlots(); ++slot)
    positions.push_back(static_cast<int32_t>(layout.position(slot)));
  if (static_cast<int64_t>(positions.size()) < size)
    positions.resize(size, static_cast<int32_t>(mask::maxSequenceLength));
  auto type = RankedTensorType::get({static_cast<int64_t>(positions.size())},
                                    b.getI32Type());
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(positions)));
}

/// A slice of a constant: `slots` of it, with what is behind them, are tiles.
static Value emitListed(OpBuilder &b, Location loc, const Layout &layout,
                        Value first, int64_t slots) {
  SmallVector<OpFoldResult> offset = {getAsOpFoldResult(first)};
  SmallVector<OpFoldResult> size = {b.getIndexAttr(layout.tile)};
  SmallVector<OpFoldResult> stride = {b.getIndexAttr(1)};
  return tensor::ExtractSliceOp::create(
      b, loc, listedPositions(b, loc, layout, slots), offset, size, stride);
}

/// shift + slot floordiv width * step + slot mod width.
static Value emitLatticePosition(OpBuilder &b, Location loc,
                                 const Layout &layout, Value slot) {
  IndexMath math{b, loc};
  Value run =
      b.createOrFold<arith::DivUIOp>(loc, slot, math.constant(layout.width));
  Value position = math.add(math.add(slot, math.constant(layout.shift)),
                            math.mul(run, layout.step - layout.width));
  return math.min(position, math.constant(mask::maxSequenceLength));
}

namespace {
/// i32 arithmetic whose constants fold.
struct SlotMath {
  OpBuilder &b;
  Location loc;

  Value constant(int64_t value) const {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }
  Value narrow(Value index) const {
    return b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), index);
  }
  Value add(Value x, Value y) const {
    return b.createOrFold<arith::AddIOp>(loc, x, y);
  }
  Value mul(Value x, int64_t factor) const {
    return b.createOrFold<arith::MulIOp>(loc, x, constant(factor));
  }
  Value div(Value x, int64_t divisor) const {
    return b.createOrFold<arith::DivUIOp>(loc, x, constant(divisor));
  }
  Value sub(Value x, Value y) const {
    return b.createOrFold<arith::SubIOp>(loc, x, y);
  }
  Value min(Value x, int64_t most) const {
    return b.createOrFold<arith::MinUIOp>(loc, x, constant(most));
  }
};
} // namespace

/// The same of slots of a tile, in the 32 bits that lanes and threads compute
/// with: run * step + shift + slot mod width, in run = slot floordiv width.
/// Runs behind the longest sequence count as the first of these, so that 32
/// bits hold all positions.
static Value emitNarrowPosition(const SlotMath &math, const Layout &layout,
                                Value slot) {
  constexpr int64_t most = mask::maxSequenceLength;
  Value run = math.div(slot, layout.width);
  Value rest = math.sub(slot, math.mul(run, layout.width));
  run = math.min(run, llvm::divideCeil(most - layout.shift, layout.step));
  Value start =
      math.add(math.mul(run, layout.step), math.constant(layout.shift));
  if (layout.step > most / 2)
    start = math.min(start, most);
  return math.add(start, rest);
}

static Value emitLattice(OpBuilder &b, Location loc, const Layout &layout,
                         Value first) {
  first = SlotMath{b, loc}.narrow(first);
  Value empty = tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>{layout.tile},
                                        b.getI32Type());
  SmallVector<utils::IteratorType> iterators = {utils::IteratorType::parallel};
  return linalg::GenericOp::create(
             b, loc, empty.getType(), ValueRange{}, empty,
             b.getMultiDimIdentityMap(1), iterators,
             [&](OpBuilder &nested, Location, ValueRange) {
               SlotMath math{nested, loc};
               Value number =
                   math.narrow(linalg::IndexOp::create(nested, loc, /*dim=*/0));
               Value position =
                   emitNarrowPosition(math, layout, math.add(first, number));
               linalg::YieldOp::create(nested, loc, position);
             })
      .getResult(0);
}

Value transforms::emitPositions(OpBuilder &b, Location loc,
                                const Layout &layout, Value tile) {
  Value first = IndexMath{b, loc}.mul(tile, layout.tile);
  if (!layout.isList())
    return emitLattice(b, loc, layout, first);
  return emitListed(b, loc, layout, first,
                    llvm::alignTo(*layout.numSlots(), layout.tile));
}

Value transforms::emitPositionsFrom(OpBuilder &b, Location loc,
                                    const Layout &layout, Value first) {
  if (!layout.isList())
    return emitLattice(b, loc, layout, first);
  // Whatever the first slot is, a tile is read inside of the constant.
  IndexMath math{b, loc};
  int64_t slots = *layout.numSlots();
  first = math.min(first, math.constant(slots));
  return emitListed(b, loc, layout, first, slots + layout.tile);
}

Value transforms::emitPosition(OpBuilder &b, Location loc, const Layout &layout,
                               Value slot) {
  if (!layout.isList())
    return emitLatticePosition(b, loc, layout, slot);
  Value positions = listedPositions(b, loc, layout, *layout.numSlots());
  Value narrow = tensor::ExtractOp::create(b, loc, positions, slot);
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), narrow);
}
