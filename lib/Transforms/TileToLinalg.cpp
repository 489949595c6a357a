//===- TileToLinalg.cpp - --sparse-attn-tile-to-linalg --------------------===//
//
//   for each class of rows of the plan:
//     forall (batch b, query head h, query tile q)
//       Q tile
//       for kt in the partial tiles of q:  S; mask S; online softmax; P V
//       for kt in the full tiles of q:     S;         online softmax; P V
//       O tile = A / l
//
// A heavy class (rows that see every key) runs its loops in `heavy-splits`
// parts, each with a state of its own, and merges them by their maxima.
//
//===----------------------------------------------------------------------===//

#include "AttentionLowering.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNTILETOLINALG
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// Inserts, as the terminator of a forall, `tile` where `slice` was taken.
static void insertInParallel(OpBuilder &b, Location loc, Value tile,
                             Value slice) {
  auto from = slice.getDefiningOp<tensor::ExtractSliceOp>();
  tensor::ParallelInsertSliceOp::create(
      b, loc, tile, from.getSource(), from.getMixedOffsets(),
      from.getMixedSizes(), from.getMixedStrides());
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// A class of a few rows (a global token's) would waste most of a tile: it gets
/// one of as few vectors as hold its rows. Its only query tile is q = 0, whose
/// segments hold for any of its rows, so the plan stays right.
TileShape AttentionLowering::fitTile(const RowClass &cls) const {
  constexpr int64_t granule = 16;
  LengthFacts facts;
  for (int64_t rows = granule; rows < plan.tile.queries; rows += granule)
    if (plan.tile.queries % granule == 0 &&
        TileExpr::provablyLE(cls.rowEnd, cls.rowBegin + rows, facts))
      return {rows, plan.tile.keys};
  return plan.tile;
}

AttentionLowering::ClassRows AttentionLowering::emitRows(const RowClass &cls) {
  IndexMath math{builder, loc};
  TileExprVariables v = variables(math.constant(0));
  Value begin = emitTileExpr(builder, loc, cls.rowBegin, v);
  Value end = emitTileExpr(builder, loc, cls.rowEnd, v);
  // A tile of a larger attention has fewer rows than the plan speaks of, and
  // where there is no query or no key, all bounds mean nothing.
  begin = math.max(begin, math.constant(0));
  end = math.min(end, shapes.numQueries);
  Value count = math.max(math.sub(end, begin), math.constant(0));
  return {begin, end, math.ceilDiv(count, tile.queries)};
}

QueryRows AttentionLowering::locate(OpBuilder &b, const ClassRows &rows,
                                    ValueRange ids) {
  IndexMath math{b, loc};
  int64_t size = tile.queries;
  QueryRows at{ids[0], ids[1], ids[2], {}, {}, {}};
  at.row = math.add(rows.begin, math.mul(at.tile, size));
  std::optional<int64_t> begin = getConstantIntValue(rows.begin);
  std::optional<int64_t> end = getConstantIntValue(rows.end);
  bool whole = begin && end && *begin < *end && (*end - *begin) % size == 0;
  at.rows = whole ? math.constant(size)
                  : math.min(math.sub(rows.end, at.row), math.constant(size));
  at.position = math.add(at.row, shapes.firstPosition);
  return at;
}

/// Writes O (and LSE) of the tile, as the last thing inside a forall.
void AttentionLowering::storeTile(OpBuilder &b, const QueryRows &at,
                                  const RowResults &results,
                                  ValueRange outputs) {
  TileOps tileOps = ops(b);
  Value slice =
      sliceRows(b, loc, outputs[0], {at.batch, at.head}, at.row, at.rows);
  const SoftmaxState &state = results.state;
  Value divisor = tileOps.divisor(state.max, results.weights);
  Value output = tileOps.normalised(state.accumulator, divisor, at.rows, slice);
  SmallVector<std::pair<Value, Value>> stores = {{output, slice}};
  if (outputs.size() == 2) {
    Value lseSlice =
        sliceRows(b, loc, outputs[1], {at.batch, at.head}, at.row, at.rows);
    Value lse = tileOps.logSumExp(state);
    if (!getConstantIntValue(at.rows))
      lse = sliceRows(b, loc, lse, {}, IndexMath{b, loc}.constant(0), at.rows);
    stores.push_back({lse, lseSlice});
  }
  auto terminator = scf::InParallelOp::create(b, loc);
  b.setInsertionPointToStart(terminator.getBody());
  for (auto [tile, destination] : stores)
    insertInParallel(b, loc, tile, destination);
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

SmallVector<Value> AttentionLowering::lowerWhole(const RowClass &cls,
                                                 const ClassRows &rows,
                                                 ValueRange outputs) {
  SmallVector<OpFoldResult> bounds = getAsOpFoldResult(
      ValueRange{shapes.batch, shapes.queryHeads, rows.tiles});
  auto forall = scf::ForallOp::create(
      builder, loc, bounds, outputs, blockMapping(bounds.size()),
      [&](OpBuilder &b, Location, ValueRange args) {
        QueryRows at = locate(b, rows, args.take_front(3));
        RowResults results =
            visitTiles(b, cls, at, /*part=*/Value(), /*numParts=*/1);
        storeTile(b, at, results, args.drop_front(3));
      });
  return forall.getResults();
}

namespace {
struct TileToLinalgPass
    : sparse_attn::impl::SparseAttnTileToLinalgBase<TileToLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    if (heavySplits < 1) {
      getOperation()->emitError("heavy-splits must be at least 1");
      return signalPassFailure();
    }
    WalkResult result = getOperation()->walk([&](AttentionOp op) {
      if (!op.getPlan()) {
        op.emitOpError("has no plan; run 'sparse-attn-plan' first");
        return WalkResult::interrupt();
      }
      if (!isa<RankedTensorType>(op.getQuery().getType())) {
        op.emitOpError("on memrefs cannot be tiled; lower it before "
                       "bufferization");
        return WalkResult::interrupt();
      }
      if (failed(verifyMaskHasCode(op)))
        return WalkResult::interrupt();
      op->replaceAllUsesWith(
          AttentionLowering(op, {queriesInner, keepTypes}, heavySplits).run());
      op->erase();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
