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

/// Maxima, sums and means of all parts of a heavy class: three tensors
/// [B, Hq, query tiles, parts, ...].
SmallVector<Value> AttentionLowering::emitParts(const RowClass &cls,
                                                const ClassRows &rows) {
  SmallVector<OpFoldResult> bounds = getAsOpFoldResult(
      ValueRange{shapes.batch, shapes.queryHeads, rows.tiles});
  bounds.push_back(builder.getIndexAttr(heavySplits));
  TileOps tileOps = ops(builder);
  SmallVector<Value> parts;
  for (RankedTensorType type :
       {tileOps.rowType(), tileOps.rowType(),
        tileOps.tileType(op.getValueType().getDimSize(3))}) {
    SmallVector<OpFoldResult> sizes = bounds;
    for (int64_t size : type.getShape())
      sizes.push_back(builder.getIndexAttr(size));
    parts.push_back(
        tensor::EmptyOp::create(builder, loc, sizes, builder.getF32Type()));
  }
  auto forall = scf::ForallOp::create(
      builder, loc, bounds, parts, blockMapping(bounds.size()),
      [&](OpBuilder &b, Location, ValueRange args) {
        QueryRows at = locate(b, rows, args.take_front(3));
        RowResults results =
            visitTiles(b, cls, at, /*part=*/args[3], heavySplits);
        // Unlike sums, means are never too large to be merged.
        SoftmaxState state = results.state;
        state.accumulator = ops(b).means(results);
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

/// Part `part` of what `emitParts` has made: the trailing dimensions.
static Value loadPart(OpBuilder &b, Location loc, Value parts,
                      const QueryRows &at, Value part) {
  auto type = cast<RankedTensorType>(parts.getType());
  SmallVector<OpFoldResult> offsets =
      getAsOpFoldResult(ValueRange{at.batch, at.head, at.tile, part});
  SmallVector<OpFoldResult> sizes(4, b.getIndexAttr(1));
  ArrayRef<int64_t> shape = type.getShape().drop_front(4);
  for (int64_t size : shape) {
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(size));
  }
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), parts,
      offsets, sizes, strides);
}

/// The mean of the parts' means, by their shares in the sum:
///
///   m, l = those of all parts;  O = sum over parts of O. (l. exp(m. - m) / l)
RowResults AttentionLowering::mergeParts(OpBuilder &b, const QueryRows &at,
                                         ValueRange parts) {
  IndexMath math{b, loc};
  Value zero = math.constant(0), end = math.constant(heavySplits),
        one = math.constant(1);
  auto rowsOfPart = [&](OpBuilder &nested, Value part) -> SoftmaxState {
    return {loadPart(nested, loc, parts[0], at, part),
            loadPart(nested, loc, parts[1], at, part),
            {}};
  };
  TileOps tileOps = ops(b, /*careful=*/style.keepTypes);
  SoftmaxState all = tileOps.initialState(op.getValueType().getDimSize(3));
  auto sums = scf::ForOp::create(
      b, loc, zero, end, one, ValueRange{all.max, all.sum},
      [&](OpBuilder &nested, Location, Value part, ValueRange carried) {
        SoftmaxState next =
            ops(nested, /*careful=*/style.keepTypes)
                .merged({carried[0], carried[1], {}}, rowsOfPart(nested, part));
        scf::YieldOp::create(nested, loc, ValueRange{next.max, next.sum});
      });
  all.max = sums.getResult(0);
  all.sum = sums.getResult(1);
  Value divisor = tileOps.divisor(all.max, all.sum);
  auto means = scf::ForOp::create(
      b, loc, zero, end, one, all.accumulator,
      [&](OpBuilder &nested, Location, Value part, ValueRange carried) {
        TileOps inner = ops(nested, /*careful=*/style.keepTypes);
        Value share = inner.share(rowsOfPart(nested, part), all, divisor);
        Value mean = loadPart(nested, loc, parts[2], at, part);
        scf::YieldOp::create(nested, loc,
                             inner.addedShare(share, mean, carried.front()));
      });
  all.accumulator = means.getResult(0);
  return {all, tileOps.filled(tileOps.rowType(), TileOps::kWholeShare)};
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
        QueryRows at = locate(b, rows, args.take_front(3));
        storeTile(b, at, mergeParts(b, at, parts), args.drop_front(3));
      });
  return forall.getResults();
}
