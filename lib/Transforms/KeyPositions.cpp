//===- KeyPositions.cpp - Where the keys of a tile stand ------------------===//

#include "KeyPositions.h"
#include "EmitTileExpr.h"
#include "SparseAttn/Mask/Mask.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// A slice of a constant, of whole tiles.
static Value emitListed(OpBuilder &b, Location loc, const Layout &layout,
                        Value tile) {
  SmallVector<int32_t> positions;
  for (int64_t slot = 0; slot < *layout.numSlots(); ++slot)
    positions.push_back(static_cast<int32_t>(layout.position(slot)));
  while (positions.size() % layout.tile != 0)
    positions.push_back(static_cast<int32_t>(mask::maxSequenceLength));
  auto type = RankedTensorType::get({static_cast<int64_t>(positions.size())},
                                    b.getI32Type());
  Value all = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(positions)));
  IndexMath math{b, loc};
  SmallVector<OpFoldResult> offset = {
      getAsOpFoldResult(math.mul(tile, layout.tile))};
  SmallVector<OpFoldResult> size = {b.getIndexAttr(layout.tile)};
  SmallVector<OpFoldResult> stride = {b.getIndexAttr(1)};
  return tensor::ExtractSliceOp::create(b, loc, all, offset, size, stride);
}

/// shift + slot floordiv width * step + slot mod width of each slot.
static Value emitLattice(OpBuilder &b, Location loc, const Layout &layout,
                         Value tile) {
  Value first = IndexMath{b, loc}.mul(tile, layout.tile);
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
               Value run = nested.createOrFold<arith::DivUIOp>(
                   loc, slot, math.constant(layout.width));
               Value position =
                   math.add(math.add(slot, math.constant(layout.shift)),
                            math.mul(run, layout.step - layout.width));
               position =
                   math.min(position, math.constant(mask::maxSequenceLength));
               Value narrow = arith::IndexCastOp::create(
                   nested, loc, nested.getI32Type(), position);
               linalg::YieldOp::create(nested, loc, narrow);
             })
      .getResult(0);
}

Value transforms::emitPositions(OpBuilder &b, Location loc,
                                const Layout &layout, Value tile) {
  return layout.isList() ? emitListed(b, loc, layout, tile)
                         : emitLattice(b, loc, layout, tile);
}
