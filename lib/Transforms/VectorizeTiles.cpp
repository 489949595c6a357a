//===- VectorizeTiles.cpp - --sparse-attn-vectorize-tiles -----------------===//

#include "SparseAttn/Transforms/Passes.h"
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
                          "vectors (tile with 'keep-types')");
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

/// Multiply-reduce becomes vector.contract, pads become reads with a boundary,
/// and transfers see through slices.
static LogicalResult simplifyVectors(Operation *root) {
  MLIRContext *context = root->getContext();
  RewritePatternSet patterns(context);
  linalg::populatePadOpVectorizationPatterns(patterns);
  vector::populateVectorReductionToContractPatterns(patterns);
  vector::populateFoldArithExtensionPatterns(patterns);
  patterns.add<WriteOnlySlice>(context);
  vector::TransferReadOp::getCanonicalizationPatterns(patterns, context);
  vector::TransferWriteOp::getCanonicalizationPatterns(patterns, context);
  return applyPatternsGreedily(root, std::move(patterns));
}

namespace {
struct VectorizeTilesPass
    : sparse_attn::impl::SparseAttnVectorizeTilesBase<VectorizeTilesPass> {
  using Base::Base;

  void runOnOperation() override {
    Operation *root = getOperation();
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::LinalgOp> ops;
    root->walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops)
      if (failed(vectorizeOp(rewriter, op)))
        return signalPassFailure();
    if (failed(simplifyVectors(root)))
      return signalPassFailure();
    // Reads of tensors have no effects, so that those of the queries leave the
    // loops over keys, but never the parallel loop that becomes the grid.
    root->walk([&](scf::ForOp loop) {
      moveLoopInvariantCode(cast<LoopLikeOpInterface>(loop.getOperation()));
    });
  }
};
} // namespace
