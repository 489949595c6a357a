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

static Value emitLattice(OpBuilder &b, Location loc, const Layout &layout,
                         Value first) {
  Value empty = tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>{layout.tile},
                                        b.getI32Type());
  SmallVector<utils::IteratorType> iterators = {utils::IteratorType::parallel};
  return linalg::GenericOp::create(
             b, loc, empty.getType(), ValueRange{}, empty,
             b.getMultiDimIdentityMap(1), iterators,
             [&](OpBuilder &nested, Location, ValueRange) {
               IndexMath math{nested, loc};
               Value slot = math.add(
                   first, linalg::IndexOp::create(nested, loc, /*dim=*/0));
               Value position = emitLatticePosition(nested, loc, layout, slot);
               Value narrow = arith::IndexCastOp::create(
                   nested, loc, nested.getI32Type(), position);
               linalg::YieldOp::create(nested, loc, narrow);
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
