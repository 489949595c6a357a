//===- HeavyRows.cpp - Rows that see every key, in parts ------------------===//
//
// One loop nest for the parts, each with a state of its own, and one that
// merges them.
//
//===----------------------------------------------------------------------===//

#include "AttentionLowering.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// The states of all parts of a heavy class: three tensors
/// [B, Hq, query tiles, parts, ...].
SmallVector<Value> AttentionLowering::emitParts(const RowClass &cls,
                                                const ClassRows &rows) {
  SmallVector<OpFoldResult> bounds = getAsOpFoldResult(
      ValueRange{shapes.batch, shapes.queryHeads, rows.tiles});
  bounds.push_back(builder.getIndexAttr(heavySplits));
  TileOps tileOps = ops(builder);
  SmallVector<Value> parts;
  for (RankedTensorType type : {tileOps.rowType(), tileOps.rowType(),
                                tileOps.tileType(shapes.valueSize)}) {
    SmallVector<OpFoldResult> sizes = bounds;
    for (int64_t size : type.getShape())
      sizes.push_back(builder.getIndexAttr(size));
    parts.push_back(
        tensor::EmptyOp::create(builder, loc, sizes, builder.getF32Type()));
  }
  auto forall = scf::ForallOp::create(
      builder, loc, bounds, parts, blockMapping(bounds.size()),
      [&](OpBuilder &b, Location, ValueRange args) {
        QueryTile at = locate(b, rows, args.take_front(3));
        SoftmaxState state =
            visitTiles(b, cls, at, /*part=*/args[3], heavySplits);
        auto terminator = scf::InParallelOp::create(b, loc);
        b.setInsertionPointToStart(terminator.getBody());
        for (auto [value, part] :
             llvm::zip(state.values(), args.drop_front(4))) {
          auto type = cast<RankedTensorType>(value.getType());
          SmallVector<OpFoldResult> offsets =
              getAsOpFoldResult(args.take_front(4));
          SmallVector<OpFoldResult> sizes(4, b.getIndexAttr(1));
          for (int64_t size : type.getShape()) {
            offsets.push_back(b.getIndexAttr(0));
            sizes.push_back(b.getIndexAttr(size));
          }
          SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
          tensor::ParallelInsertSliceOp::create(b, loc, value, part, offsets,
                                                sizes, strides);
        }
      });
  return forall.getResults();
}

/// The state of part `part`: the trailing dimensions of `parts`.
static SoftmaxState loadPart(OpBuilder &b, Location loc, ValueRange parts,
                             const QueryTile &at, Value part) {
  SmallVector<Value> values;
  for (Value tensor : parts) {
    auto type = cast<RankedTensorType>(tensor.getType());
    SmallVector<OpFoldResult> offsets =
        getAsOpFoldResult(ValueRange{at.batch, at.head, at.tile, part});
    SmallVector<OpFoldResult> sizes(4, b.getIndexAttr(1));
    ArrayRef<int64_t> shape = type.getShape().drop_front(4);
    for (int64_t size : shape) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(size));
    }
    SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
    values.push_back(tensor::ExtractSliceOp::create(
        b, loc, RankedTensorType::get(shape, type.getElementType()), tensor,
        offsets, sizes, strides));
  }
  return SoftmaxState::from(values);
}

SmallVector<Value> AttentionLowering::lowerSplit(const RowClass &cls,
                                                 const ClassRows &rows,
                                                 ValueRange outputs) {
  SmallVector<Value> parts = emitParts(cls, rows);
  SmallVector<OpFoldResult> bounds = getAsOpFoldResult(
      ValueRange{shapes.batch, shapes.queryHeads, rows.tiles});
  auto forall = scf::ForallOp::create(
      builder, loc, bounds, outputs, blockMapping(bounds.size()),
      [&](OpBuilder &b, Location, ValueRange args) {
        IndexMath math{b, loc};
        QueryTile at = locate(b, rows, args.take_front(3));
        auto merge = scf::ForOp::create(
            b, loc, math.constant(0), math.constant(heavySplits),
            math.constant(1), ops(b).initialState(shapes.valueSize).values(),
            [&](OpBuilder &nested, Location, Value part, ValueRange carried) {
              SoftmaxState next =
                  ops(nested, /*careful=*/style.keepTypes)
                      .merged(SoftmaxState::from(carried),
                              loadPart(nested, loc, parts, at, part));
              scf::YieldOp::create(nested, loc, next.values());
            });
        storeTile(b, at, SoftmaxState::from(merge.getResults()),
                  args.drop_front(3));
      });
  return forall.getResults();
}
