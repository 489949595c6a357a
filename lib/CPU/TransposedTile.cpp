//===- TransposedTile.cpp - Elementwise ops that transpose ----------------===//
//
//   for n0 in 0 .. N by L
//     for k0 in 0 .. K by L                a block of L x L elements
//       x[0 .. L] = X[k0 .. k0 + L, n0 ..]     vectors along n
//       x = transpose(x)                       vectors along k
//       for m in 0 .. L
//         Z[n0 + m, k0 ..] = f(x[m], Y[n0 + m, k0 ..], y[n0 + m], ...)
//
//===----------------------------------------------------------------------===//

#include "TransposedTile.h"
#include "TileVectors.h"
#include "VectorBody.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

namespace {
/// How an operand lies beside the result.
enum class Place { Same, Transposed, Row, Column, Scalar };

struct TransposedTile {
  linalg::GenericOp op;
  Location loc;
  int64_t lanes;
  /// The loops that run along the rows and along the columns of the result.
  unsigned rowLoop = 0, columnLoop = 1;
  SmallVector<Place> places = {}; ///< of the inputs, then of the result
};
} // namespace

/// Where an operand with that map lies, or nothing.
static std::optional<Place> findPlace(AffineMap map, unsigned rowLoop,
                                      unsigned columnLoop) {
  if (!map.isProjectedPermutation())
    return std::nullopt;
  auto runs = [&](unsigned dim) { return map.getDimPosition(dim); };
  if (map.getNumResults() == 2)
    return runs(0) == rowLoop ? Place::Same : Place::Transposed;
  if (map.getNumResults() == 1)
    return runs(0) == columnLoop ? Place::Row : Place::Column;
  return Place::Scalar;
}

static FailureOr<TransposedTile> match(RewriterBase &rewriter,
                                       linalg::GenericOp op, int64_t lanes) {
  auto fail = [&](const char *reason) {
    return rewriter.notifyMatchFailure(op, reason);
  };
  if (!op.hasPureTensorSemantics() || op.getNumLoops() != 2 ||
      op.getNumParallelLoops() != 2 || op.getNumDpsInits() != 1)
    return fail("not an elementwise op on tiles of one result");
  if (lanes < 2 || !llvm::isPowerOf2_64(lanes))
    return fail("lanes are not a power of two");
  AffineMap result = op.getIndexingMapsArray().back();
  if (!result.isPermutation())
    return fail("result is not a tile");
  TransposedTile tile{op, op.getLoc(), lanes, result.getDimPosition(0),
                      result.getDimPosition(1)};
  if (!isElementwiseBody(op, tile.columnLoop))
    return fail("body is not elementwise");
  for (AffineMap map : op.getIndexingMapsArray()) {
    std::optional<Place> place = findPlace(map, tile.rowLoop, tile.columnLoop);
    if (!place)
      return fail("an operand is not laid out as a tile, a row or a column");
    tile.places.push_back(*place);
  }
  if (!llvm::is_contained(tile.places, Place::Transposed))
    return fail("nothing is transposed");
  for (int64_t range : op.getStaticLoopRanges())
    if (ShapedType::isStatic(range) && range % lanes != 0)
      return fail("a tile is not of whole blocks");
  return tile;
}

static Value broadcastOf(OpBuilder &b, const TransposedTile &tile, Value source,
                         ValueRange at) {
  Value scalar = isa<RankedTensorType>(source.getType())
                     ? tensor::ExtractOp::create(b, tile.loc, source, at)
                     : source;
  return vector::BroadcastOp::create(
      b, tile.loc, VectorType::get({tile.lanes}, scalar.getType()), scalar);
}

/// The operand's vectors beside the rows of the block of the result at
/// (row, column).
static SmallVector<Value> readBlock(OpBuilder &b, const TransposedTile &tile,
                                    Value source, Place place, Value row,
                                    Value column) {
  auto each = [&](auto read) {
    SmallVector<Value> vectors;
    for (int64_t m = 0; m < tile.lanes; ++m)
      vectors.push_back(read(m));
    return vectors;
  };
  auto same = [&](Value vector) {
    return SmallVector<Value>(tile.lanes, vector);
  };
  auto below = [&](Value index, int64_t m) {
    return offsetBy(b, tile.loc, index, m);
  };
  switch (place) {
  case Place::Same:
    return each([&](int64_t m) {
      return readVector(b, tile.loc, source, {below(row, m), column},
                        tile.lanes);
    });
  case Place::Transposed:
    return transposed(b, tile.loc, each([&](int64_t m) {
                        return readVector(b, tile.loc, source,
                                          {below(column, m), row}, tile.lanes);
                      }));
  case Place::Row:
    return same(readVector(b, tile.loc, source, column, tile.lanes));
  case Place::Column:
    return each(
        [&](int64_t m) { return broadcastOf(b, tile, source, below(row, m)); });
  case Place::Scalar:
    return same(broadcastOf(b, tile, source, {}));
  }
  llvm_unreachable("all places are handled");
}

/// The result with one more block in it.
static Value computeBlock(OpBuilder &b, const TransposedTile &tile,
                          Value result, Value row, Value column) {
  linalg::GenericOp op = tile.op;
  // What the body does not read of the result need not be loaded.
  bool readsResult = !op.getRegionOutputArgs().front().use_empty();
  SmallVector<SmallVector<Value>> operands;
  for (auto [input, place] : llvm::zip(op.getInputs(), tile.places))
    operands.push_back(readBlock(b, tile, input, place, row, column));
  Type element = cast<RankedTensorType>(result.getType()).getElementType();
  operands.push_back(
      readsResult
          ? readBlock(b, tile, result, Place::Same, row, column)
          : SmallVector<Value>(tile.lanes, arith::ConstantOp::create(
                                               b, tile.loc,
                                               b.getZeroAttr(VectorType::get(
                                                   {tile.lanes}, element)))));
  for (int64_t m = 0; m < tile.lanes; ++m) {
    SmallVector<Value> args;
    for (const SmallVector<Value> &vectors : operands)
      args.push_back(vectors[m]);
    SmallVector<Value> first(2, column);
    first[tile.rowLoop] = offsetBy(b, tile.loc, row, m);
    Value vector =
        cloneOnVectors(b, op, args, {tile.columnLoop, first, tile.lanes})
            .front();
    result = vector::TransferWriteOp::create(
                 b, tile.loc, vector, result,
                 ValueRange{offsetBy(b, tile.loc, row, m), column},
                 ArrayRef<bool>{true})
                 .getResult();
  }
  return result;
}

/// Loops over the blocks of the result, whose sizes are multiples of a block's.
static Value computeBlocks(OpBuilder &b, const TransposedTile &tile) {
  Location loc = tile.loc;
  Value step = constantIndex(b, loc, tile.lanes);
  linalg::GenericOp op = tile.op;
  Value init = op.getDpsInits().front();
  auto sizeOf = [&](unsigned dim) {
    return b.createOrFold<tensor::DimOp>(loc, init, dim);
  };
  Value numRows = sizeOf(0), numColumns = sizeOf(1);
  return emitLoop(b, loc, numRows, step, init,
                  [&](OpBuilder &at, Value row, Value some) -> Value {
                    return emitLoop(at, loc, numColumns, step, some,
                                    [&](OpBuilder &nested, Value column,
                                        Value result) -> Value {
                                      return computeBlock(nested, tile, result,
                                                          row, column);
                                    });
                  });
}

LogicalResult cpu::lowerTransposedTile(RewriterBase &rewriter,
                                       linalg::GenericOp op, int64_t lanes) {
  FailureOr<TransposedTile> tile = match(rewriter, op, lanes);
  if (failed(tile))
    return failure();
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  for (unsigned loop = 0; loop < 2; ++loop) {
    if (ShapedType::isStatic(ranges[loop]))
      continue;
    rewriter.setInsertionPoint(op);
    SmallVector<Range> domain =
        cast<TilingInterface>(op.getOperation()).getIterationDomain(rewriter);
    AffineExpr size = rewriter.getAffineSymbolExpr(0);
    OpFoldResult whole = affine::makeComposedFoldedAffineApply(
        rewriter, op.getLoc(), size - size % lanes, domain[loop].size);
    auto [blocks, rest] = linalg::splitOp(
        rewriter, cast<TilingInterface>(op.getOperation()), loop, whole);
    if (!blocks || !rest)
      return success();
    op = cast<linalg::GenericOp>(blocks.getOperation());
    tile->op = op;
  }
  rewriter.setInsertionPoint(op);
  rewriter.replaceOp(op, computeBlocks(rewriter, *tile));
  return success();
}
