//===- StagedReads.cpp - Reads of a tile of a tensor ----------------------===//
//
//   for n0 in 0 .. N by L                     lanes of T[k, n]
//     for k0 in 0 .. K by L
//       if j(k0 + L - 1) - j(k0) == L - 1     no index is clamped
//         x[m] = B[i(n0 + m), j(k0) ..]       vectors along the last dimension
//         T[k0 .. k0 + L, n0 ..] = transpose(x)
//       else
//         T[k0 + l, n0 + m] = B[i(n0 + m), j(k0 + l)]
//
// Where the last index climbs along the lanes, nothing is transposed, and a
// block has one row.
//
//===----------------------------------------------------------------------===//

#include "StagedReads.h"
#include "LaneShape.h"
#include "TileVectors.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

namespace {
/// A read, and how the tile that takes its place is made.
struct StagedRead {
  tensor::ExtractOp read;
  linalg::GenericOp op;
  Location loc;
  /// The loop that the last index climbs along; the others depend on the other.
  unsigned keyLoop;
  int64_t lanes, rows; ///< of a block

  bool isTransposed() const { return keyLoop == 0; }
  Value emit(OpBuilder &b) const;

private:
  Value emitBlock(OpBuilder &b, Value tile, Value row, Value key,
                  ArrayRef<SmallVector<Value>> lead) const;
  Value copyVectors(OpBuilder &b, Value tile, Value row, Value key, Value first,
                    ArrayRef<SmallVector<Value>> lead) const;
  Value copyElements(OpBuilder &b, Value tile, Value row, Value key,
                     ArrayRef<SmallVector<Value>> lead) const;
  SmallVector<Value> indicesAt(OpBuilder &b, ValueRange indices, Value row,
                               Value key) const;
  Value keyIndexAt(OpBuilder &b, Value row, Value key) const {
    return indicesAt(b, tensor::ExtractOp(read).getIndices().take_back(), row,
                     key)
        .front();
  }
  /// The place in the tile of a row and a key.
  SmallVector<Value> at(Value row, Value key) const {
    return isTransposed() ? SmallVector<Value>{key, row}
                          : SmallVector<Value>{row, key};
  }
};
} // namespace

/// The loop along which the last index of `read` climbs, if its others depend
/// on the other loop alone.
static std::optional<unsigned> findKeyLoop(tensor::ExtractOp read,
                                           ArrayRef<LaneShapes> along) {
  ValueRange indices = read.getIndices();
  if (indices.empty())
    return std::nullopt;
  Value last = indices.back();
  auto areUniform = [&](unsigned loop) {
    return llvm::all_of(indices.drop_back(), [&](Value index) {
      return along[loop].isUniform(index);
    });
  };
  // Rows in lanes: a vector along them would gather.
  LaneShape down = along[0].of(last);
  if ((down == LaneShape::Linear || down == LaneShape::Climbing) &&
      along[1].isUniform(last) && areUniform(0) && !areUniform(1))
    return 0;
  // Keys in lanes: where no index is clamped, the vectoriser sees neighbours.
  if (along[1].of(last) == LaneShape::Climbing && along[0].isUniform(last) &&
      areUniform(1))
    return 1;
  return std::nullopt;
}

/// What the body computes for `indices` at a row and a key, as scalars.
SmallVector<Value> StagedRead::indicesAt(OpBuilder &b, ValueRange indices,
                                         Value row, Value key) const {
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.omitBlockArguments = true;
  options.inclusive = true;
  options.filter = [&](Operation *inner) {
    return inner->getBlock() == linalg::GenericOp(op).getBody();
  };
  for (Value index : indices)
    (void)getBackwardSlice(index, &slice, options);
  IRMapping scalars;
  for (Operation *inner : slice) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      scalars.map(index.getResult(), index.getDim() == keyLoop ? key : row);
    else
      b.clone(*inner, scalars);
  }
  return llvm::map_to_vector(
      indices, [&](Value index) { return scalars.lookupOrDefault(index); });
}

Value StagedRead::copyVectors(OpBuilder &b, Value tile, Value row, Value key,
                              Value first,
                              ArrayRef<SmallVector<Value>> lead) const {
  SmallVector<Value> vectors;
  for (const SmallVector<Value> &indices : lead) {
    SmallVector<Value> place(indices);
    place.push_back(first);
    vectors.push_back(
        readVector(b, loc, tensor::ExtractOp(read).getTensor(), place, lanes));
  }
  if (isTransposed())
    vectors = transposed(b, loc, vectors);
  for (auto [number, vector] : llvm::enumerate(vectors)) {
    SmallVector<Value> place = at(row, key);
    place[0] = offsetBy(b, loc, place[0], number);
    tile = vector::TransferWriteOp::create(b, loc, vector, tile, place,
                                           ArrayRef<bool>{true})
               .getResult();
  }
  return tile;
}

Value StagedRead::copyElements(OpBuilder &b, Value tile, Value row, Value key,
                               ArrayRef<SmallVector<Value>> lead) const {
  return emitLoop(
      b, loc, constantIndex(b, loc, lanes), constantIndex(b, loc, 1), tile,
      [&](OpBuilder &nested, Value lane, Value some) {
        Value here = arith::AddIOp::create(nested, loc, key, lane);
        Value last = keyIndexAt(nested, row, here);
        for (auto [number, indices] : llvm::enumerate(lead)) {
          SmallVector<Value> place(indices);
          place.push_back(last);
          Value element = tensor::ExtractOp::create(
              nested, loc, tensor::ExtractOp(read).getTensor(), place);
          some = tensor::InsertOp::create(
              nested, loc, element, some,
              at(offsetBy(nested, loc, row, number), here));
        }
        return some;
      });
}

/// The block at (row, key), whose rows have the indices `lead` before the last.
Value StagedRead::emitBlock(OpBuilder &b, Value tile, Value row, Value key,
                            ArrayRef<SmallVector<Value>> lead) const {
  Value first = keyIndexAt(b, row, key);
  Value last = keyIndexAt(b, row, offsetBy(b, loc, key, lanes - 1));
  Value areNeighbours =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                            arith::SubIOp::create(b, loc, last, first),
                            constantIndex(b, loc, lanes - 1));
  auto branch = scf::IfOp::create(
      b, loc, areNeighbours,
      [&](OpBuilder &then, Location) {
        scf::YieldOp::create(then, loc,
                             copyVectors(then, tile, row, key, first, lead));
      },
      [&](OpBuilder &otherwise, Location) {
        scf::YieldOp::create(otherwise, loc,
                             copyElements(otherwise, tile, row, key, lead));
      });
  return branch.getResult(0);
}

Value StagedRead::emit(OpBuilder &b) const {
  SmallVector<int64_t> sizes = linalg::GenericOp(op).getStaticLoopRanges();
  Value start = tensor::EmptyOp::create(
      b, loc, sizes, tensor::ExtractOp(read).getResult().getType());
  return emitLoop(
      b, loc, constantIndex(b, loc, sizes[1 - keyLoop]),
      constantIndex(b, loc, rows), start,
      [&](OpBuilder &outer, Value row, Value some) {
        Value zero = constantIndex(outer, loc, 0);
        SmallVector<SmallVector<Value>> lead;
        for (int64_t number = 0; number < rows; ++number)
          lead.push_back(
              indicesAt(outer, tensor::ExtractOp(read).getIndices().drop_back(),
                        offsetBy(outer, loc, row, number), zero));
        return emitLoop(outer, loc, constantIndex(outer, loc, sizes[keyLoop]),
                        constantIndex(outer, loc, lanes), some,
                        [&](OpBuilder &nested, Value key, Value tile) {
                          return emitBlock(nested, tile, row, key, lead);
                        });
      });
}

/// The reads of `op` that have a tile, if it is one on whole blocks.
static SmallVector<StagedRead> findReads(linalg::GenericOp op, int64_t lanes) {
  SmallVector<StagedRead> reads;
  if (!op.hasPureTensorSemantics() || op.hasDynamicShape() ||
      op.getNumLoops() != 2 || op.getNumParallelLoops() != 2 ||
      op.getNumDpsInits() != 1 ||
      !op.getIndexingMapsArray().back().isIdentity() || lanes < 2 ||
      !llvm::isPowerOf2_64(lanes))
    return reads;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  const LaneShapes along[] = {LaneShapes(op, 0), LaneShapes(op, 1)};
  for (tensor::ExtractOp read : op.getBody()->getOps<tensor::ExtractOp>()) {
    std::optional<unsigned> keyLoop = findKeyLoop(read, along);
    if (!keyLoop || !read.getType().isIntOrFloat())
      continue;
    int64_t rows = *keyLoop == 0 ? lanes : 1;
    if (sizes[*keyLoop] % lanes == 0 && sizes[1 - *keyLoop] % rows == 0)
      reads.push_back({read, op, op.getLoc(), *keyLoop, lanes, rows});
  }
  return reads;
}

linalg::GenericOp cpu::stageReads(RewriterBase &rewriter, linalg::GenericOp op,
                                  int64_t lanes) {
  SmallVector<StagedRead> reads = findReads(op, lanes);
  if (reads.empty())
    return op;
  rewriter.setInsertionPoint(op);
  SmallVector<Value> inputs(op.getInputs());
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (const StagedRead &read : reads) {
    inputs.push_back(read.emit(rewriter));
    maps.insert(maps.end() - 1, rewriter.getMultiDimIdentityMap(2));
  }
  size_t before = op.getNumDpsInputs();
  auto staged = linalg::GenericOp::create(
      rewriter, op.getLoc(), op.getResultTypes(), inputs, op.getOutputs(), maps,
      op.getIteratorTypesArray(),
      [&](OpBuilder &b, Location loc, ValueRange args) {
        IRMapping mapping;
        Block &body = *op.getBody();
        mapping.map(body.getArguments().take_front(before),
                    args.take_front(before));
        mapping.map(body.getArguments().back(), args.back());
        for (auto [number, read] : llvm::enumerate(reads))
          mapping.map(tensor::ExtractOp(read.read).getResult(),
                      args[before + number]);
        for (Operation &inner : body.without_terminator()) {
          bool isStaged = llvm::any_of(reads, [&](const StagedRead &read) {
            return tensor::ExtractOp(read.read) == &inner;
          });
          if (!isStaged)
            b.clone(inner, mapping);
        }
        linalg::YieldOp::create(
            b, loc,
            mapping.lookupOrDefault(body.getTerminator()->getOperand(0)));
      });
  rewriter.replaceOp(op, staged.getResults());
  return staged;
}
