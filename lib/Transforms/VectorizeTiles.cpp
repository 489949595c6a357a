//===- VectorizeTiles.cpp - --sparse-attn-vectorize-tiles -----------------===//

#include "SparseAttn/Transforms/Passes.h"
#include "SparseAttn/Transforms/StridedReads.h"
#include "VectorizeGathers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNVECTORIZETILES
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// Whole-tile vectors for one op of static shape. Masks that read a table of
/// random blocks need the N-D form of tensor.extract.
static LogicalResult vectorizeOp(RewriterBase &rewriter, linalg::LinalgOp op) {
  if (op.hasDynamicShape())
    return op.emitOpError("has a dynamic shape; tiles must be static to become "
                          "vectors (run 'sparse-attn-steps-to-tiles' before)");
  if (Operation *read = findStridedRead(op))
    return read->emitOpError(
        "reads elements of a slice, of which vectors would read others; "
        "read the tensor that it is a slice of");
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::VectorizationResult> vectors =
      linalg::vectorize(rewriter, op, /*inputVectorSizes=*/{},
                        /*inputScalableVecDims=*/{},
                        /*vectorizeNDExtract=*/true,
                        /*flatten1DDepthwiseConv=*/false,
                        /*assumeDynamicDimsMatchVecSizes=*/false,
                        /*createNamedContraction=*/true);
  if (failed(vectors))
    return op.emitOpError("cannot be turned into operations on vectors");
  rewriter.replaceOp(op, vectors->replacements);
  return success();
}

namespace {
/// A tile of which only the first rows are kept is written with a boundary:
///
///   %t = vector.transfer_write %v, %tile[0, 0] : vector<128x64xf32>, ...
///   %s = tensor.extract_slice %t[0, 0] [%rows, 64] [1, 1]
///
/// becomes a write that drops what lies past the slice's end,
///
///   %e = tensor.empty(%rows) : tensor<?x64xf32>
///   %s = vector.transfer_write %v, %e[0, 0] {in_bounds = [false, true]}
struct WriteOnlySlice : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op,
                                PatternRewriter &rewriter) const override {
    auto write = op.getSource().getDefiningOp<vector::TransferWriteOp>();
    if (!write || write.getMask() || write.hasOutOfBoundsDim() ||
        !write.getPermutationMap().isIdentity() ||
        write.getVectorType().getShape() != op.getSourceType().getShape())
      return rewriter.notifyMatchFailure(op, "not a slice of one whole write");
    if (op.getType().getRank() != op.getSourceType().getRank() ||
        !llvm::all_of(op.getMixedOffsets(), isZeroInteger) ||
        !op.hasUnitStride())
      return rewriter.notifyMatchFailure(op, "not the first rows");
    Location loc = op.getLoc();
    Value destination = tensor::EmptyOp::create(
        rewriter, loc, op.getMixedSizes(), op.getType().getElementType());
    SmallVector<bool> inBounds;
    for (auto [kept, written] :
         llvm::zip(op.getType().getShape(), write.getVectorType().getShape()))
      inBounds.push_back(kept == written);
    rewriter.replaceOpWithNewOp<vector::TransferWriteOp>(
        op, write.getVector(), destination, write.getIndices(), inBounds);
    return success();
  }
};
} // namespace

namespace {
/// A row of a tile, repeated along rows, is taken from the whole tile, which is
/// read for a product in any case:
///
///   %r = tensor.extract_slice %tile[%k, 0] [1, 64] [1, 1]
///   %v = vector.transfer_read %r[%c0] {permutation_map = (d0) -> (0, d0)}
///
/// becomes
///
///   %t = vector.transfer_read %tile[%c0, %c0]
///   %r = vector.extract %t[%k]
///   %v = vector.broadcast %r
struct RowOfTile : OpRewritePattern<vector::TransferReadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(vector::TransferReadOp op,
                                PatternRewriter &rewriter) const override {
    auto slice = op.getBase().getDefiningOp<tensor::ExtractSliceOp>();
    VectorType type = op.getVectorType();
    AffineMap repeated = AffineMap::get(
        1, 0, {rewriter.getAffineConstantExpr(0), rewriter.getAffineDimExpr(0)},
        op.getContext());
    if (!slice || op.getMask() || op.getPermutationMap() != repeated)
      return rewriter.notifyMatchFailure(op, "not a repeated row of a slice");
    RankedTensorType tile = slice.getSourceType();
    if (!tile.hasStaticShape() || tile.getRank() != 2 ||
        tile.getDimSize(1) != type.getDimSize(1) || !slice.hasUnitStride() ||
        !isZeroInteger(slice.getMixedOffsets()[1]))
      return rewriter.notifyMatchFailure(op, "not of a whole static tile");
    Location loc = op.getLoc();
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value padding = arith::ConstantOp::create(
        rewriter, loc, rewriter.getZeroAttr(tile.getElementType()));
    Value read = vector::TransferReadOp::create(
        rewriter, loc, VectorType::get(tile.getShape(), tile.getElementType()),
        slice.getSource(), ValueRange{zero, zero}, padding,
        ArrayRef<bool>{true, true});
    Value row = vector::ExtractOp::create(rewriter, loc, read,
                                          slice.getMixedOffsets()[0]);
    rewriter.replaceOpWithNewOp<vector::BroadcastOp>(op, type, row);
    return success();
  }
};

/// The one element of a vector that was written as a tensor:
///
///   %t = vector.transfer_write %v, %e[] : vector<i1>, tensor<i1>
///   %x = tensor.extract %t[] : tensor<i1>       ->  vector.extract %v[]
struct ExtractOfWrite : OpRewritePattern<tensor::ExtractOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractOp op,
                                PatternRewriter &rewriter) const override {
    auto write = op.getTensor().getDefiningOp<vector::TransferWriteOp>();
    if (!write || write.getVectorType().getRank() != 0)
      return rewriter.notifyMatchFailure(op, "not of one written element");
    rewriter.replaceOpWithNewOp<vector::ExtractOp>(op, write.getVector(),
                                                   ArrayRef<int64_t>{});
    return success();
  }
};
} // namespace

/// Multiply-reduce becomes vector.contract, pads become reads with a boundary,
/// and transfers see through slices.
static LogicalResult simplifyVectors(Operation *root) {
  MLIRContext *context = root->getContext();
  RewritePatternSet patterns(context);
  linalg::populatePadOpVectorizationPatterns(patterns);
  vector::populateVectorReductionToContractPatterns(patterns);
  vector::populateFoldArithExtensionPatterns(patterns);
  patterns.add<WriteOnlySlice, RowOfTile, ExtractOfWrite>(context);
  vector::TransferReadOp::getCanonicalizationPatterns(patterns, context);
  vector::TransferWriteOp::getCanonicalizationPatterns(patterns, context);
  return applyPatternsGreedily(root, std::move(patterns));
}

/// The tensor that a chain of writes started from, outside of `region`.
static Value destinationOutside(Value tensor, Region &region) {
  while (region.isAncestor(tensor.getParentRegion())) {
    auto write = tensor.getDefiningOp<vector::TransferWriteOp>();
    if (!write)
      return {};
    tensor = write.getBase();
  }
  return tensor;
}

/// Branches hand on vectors, as loops do, so that tiles need no memory:
///
///   %t = scf.if %c -> tensor<128x64xf32> { ... } else { ... }
///
/// becomes
///
///   %v = scf.if %c -> vector<128x64xf32> { ... transfer_read } else { ... }
///   %t = vector.transfer_write %v, ...
static void carryVectors(RewriterBase &rewriter, scf::IfOp branch) {
  Location loc = branch.getLoc();
  SmallVector<Type> types(branch.getResultTypes());
  auto typeOf = [](Type type) -> VectorType {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape() || tensor.getRank() == 0)
      return {};
    return VectorType::get(tensor.getShape(), tensor.getElementType());
  };
  auto origin = [&](unsigned number) {
    return SmallVector<Value>(
        cast<ShapedType>(branch.getResult(number).getType()).getRank(),
        arith::ConstantIndexOp::create(rewriter, loc, 0));
  };
  for (Type &type : types)
    if (VectorType vector = typeOf(type))
      type = vector;
  rewriter.setInsertionPoint(branch);
  auto carried = scf::IfOp::create(rewriter, loc, types, branch.getCondition(),
                                   /*addThenBlock=*/false,
                                   /*addElseBlock=*/false);
  SmallVector<Value> results;
  for (auto [number, type] : llvm::enumerate(types)) {
    Value result = carried.getResult(number);
    if (VectorType vector = typeOf(branch.getResultTypes()[number])) {
      rewriter.setInsertionPoint(carried);
      Value destination = destinationOutside(
          branch.thenYield().getOperand(number), branch.getThenRegion());
      if (!destination)
        destination = tensor::EmptyOp::create(rewriter, loc, vector.getShape(),
                                              vector.getElementType());
      rewriter.setInsertionPointAfter(carried);
      result = vector::TransferWriteOp::create(
                   rewriter, loc, result, destination, origin(number),
                   SmallVector<bool>(vector.getRank(), true))
                   .getResult();
    }
    results.push_back(result);
  }
  for (scf::YieldOp yield : {branch.thenYield(), branch.elseYield()}) {
    rewriter.setInsertionPoint(yield);
    for (auto [number, operand] : llvm::enumerate(yield->getOpOperands())) {
      VectorType vector = typeOf(operand.get().getType());
      if (!vector)
        continue;
      Value padding =
          ub::PoisonOp::create(rewriter, loc, vector.getElementType());
      operand.set(vector::TransferReadOp::create(
          rewriter, loc, vector, operand.get(), origin(number), padding,
          SmallVector<bool>(vector.getRank(), true)));
    }
  }
  carried.getThenRegion().takeBody(branch.getThenRegion());
  carried.getElseRegion().takeBody(branch.getElseRegion());
  rewriter.replaceOp(branch, results);
}

/// Padding that no read within bounds uses is the same for all of a type, so
/// that reads of one tile merge.
static void unifyPadding(Operation *root) {
  root->walk([](vector::TransferReadOp read) {
    if (read.hasOutOfBoundsDim() || read.getMask())
      return;
    // Where it is available to wherever the read may move.
    auto function = read->getParentOfType<FunctionOpInterface>();
    OpBuilder b = OpBuilder::atBlockBegin(&function.getFunctionBody().front());
    read.getPaddingMutable().assign(arith::ConstantOp::create(
        b, read.getLoc(),
        b.getZeroAttr(read.getVectorType().getElementType())));
  });
}

/// A tile that a branch reads is read before it: reads have no effects, and one
/// ring then brings all tiles of an iteration.
static void hoistReads(scf::IfOp branch) {
  branch.walk([&](Operation *op) {
    bool isAvailable = llvm::all_of(op->getOperands(), [&](Value operand) {
      return !branch->isAncestor(operand.getParentRegion()->getParentOp());
    });
    auto read = dyn_cast<vector::TransferReadOp>(op);
    bool isTile = read && read.getVectorType().getRank() == 2;
    if (isAvailable && (isTile || isa<ReadRowsOp>(op)))
      op->moveBefore(branch);
  });
}

/// The branches on tiles: those around a loop over query tiles are the host's.
static SmallVector<scf::IfOp> findBranches(Operation *root) {
  SmallVector<scf::IfOp> branches;
  root->walk([&](scf::IfOp branch) {
    bool hasLoop =
        branch.walk([](scf::ForallOp) { return WalkResult::interrupt(); })
            .wasInterrupted();
    if (!hasLoop && branch->getParentOfType<scf::ForallOp>())
      branches.push_back(branch);
  });
  return branches;
}

namespace {
struct VectorizeTilesPass
    : sparse_attn::impl::SparseAttnVectorizeTilesBase<VectorizeTilesPass> {
  using Base::Base;

  void runOnOperation() override {
    Operation *root = getOperation();
    IRRewriter rewriter(&getContext());
    if (failed(transforms::vectorizeGathers(rewriter, root)))
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> ops;
    root->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops)
      if (failed(vectorizeOp(rewriter, op)))
        return signalPassFailure();
    SmallVector<scf::IfOp> branches = findBranches(root);
    for (scf::IfOp branch : branches)
      if (branch.getNumResults() > 0)
        carryVectors(rewriter, branch);
    if (failed(simplifyVectors(root)))
      return signalPassFailure();
    unifyPadding(root);
    for (scf::IfOp branch : findBranches(root))
      hoistReads(branch);
    // Reads of tensors have no effects, so that those of the queries leave the
    // loops over keys, but never the parallel loop that becomes the grid.
    root->walk([&](scf::ForOp loop) {
      moveLoopInvariantCode(cast<LoopLikeOpInterface>(loop.getOperation()));
    });
  }
};
} // namespace
