//===- TileRegisters.cpp - --sparse-attn-tile-registers -------------------===//

#include "Contraction.h"
#include "DotProducts.h"
#include "LaneReduction.h"
#include "RowReduction.h"
#include "SparseAttn/CPU/Passes.h"
#include "SparseAttn/Target/Target.h"
#include "SparseAttn/Transforms/StridedReads.h"
#include "StagedReads.h"
#include "TransposedTile.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Interfaces/TilingInterface.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"
#include <numeric>

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNTILEREGISTERS
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::cpu;

/// The loop that runs along vector lanes: the last parallel one of static
/// size, or nothing.
static std::optional<unsigned> findLaneLoop(linalg::LinalgOp op) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  for (unsigned loop = ranges.size(); loop-- > 0;)
    if (iterators[loop] == utils::IteratorType::parallel &&
        !ShapedType::isDynamic(ranges[loop]))
      return loop;
  return std::nullopt;
}

/// The lanes of a vector along a loop of `range`: a width that divides it
/// leaves no ragged vector.
static int64_t widthAlong(int64_t range, int64_t lanes) {
  return std::gcd(range, lanes);
}

/// Says that `op` computes one element at a time, and why.
static void remarkScalar(linalg::LinalgOp op, const Twine &reason,
                         const Twine &remedy) {
  op.emitRemark() << "runs as scalar loops, since " << reason << "; " << remedy;
}

/// Tiles `op` to one vector along its lane loop and to 1 along the others,
/// parallel loops outside reductions so that accumulators stay in registers.
static FailureOr<scf::SCFTilingResult>
tileToVector(RewriterBase &rewriter, linalg::LinalgOp op, int64_t lanes) {
  std::optional<unsigned> laneLoop = findLaneLoop(op);
  if (!laneLoop)
    return rewriter.notifyMatchFailure(op, "no static parallel loop");
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<OpFoldResult> sizes(ranges.size(), rewriter.getIndexAttr(1));
  sizes[*laneLoop] =
      rewriter.getIndexAttr(widthAlong(ranges[*laneLoop], lanes));
  SmallVector<int64_t> order;
  for (auto kind :
       {utils::IteratorType::parallel, utils::IteratorType::reduction})
    for (auto [loop, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
      if (iterator == kind)
        order.push_back(loop);
  scf::SCFTilingOptions options;
  options.setTileSizes(sizes).setInterchange(order);
  rewriter.setInsertionPoint(op);
  FailureOr<scf::SCFTilingResult> tiled = scf::tileUsingSCF(
      rewriter, cast<TilingInterface>(op.getOperation()), options);
  if (failed(tiled))
    return rewriter.notifyMatchFailure(op, "cannot be tiled");
  rewriter.replaceOp(op, tiled->replacements);
  return tiled;
}

/// Whether a tensor of the op has elements of less than a byte.
static bool hasBits(linalg::LinalgOp op) {
  return llvm::any_of(op->getOperandTypes(), [](Type type) {
    auto tensor = dyn_cast<ShapedType>(type);
    return tensor && tensor.getElementType().isInteger(1);
  });
}

static LogicalResult vectorizeOp(RewriterBase &rewriter, linalg::LinalgOp op) {
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::VectorizationResult> vectors =
      linalg::vectorize(rewriter, op, /*inputVectorSizes=*/{},
                        /*inputScalableVecDims=*/{},
                        /*vectorizeNDExtract=*/true);
  if (failed(vectors))
    return failure();
  rewriter.replaceOp(op, vectors->replacements);
  return success();
}

/// vector<N> for a transfer of a whole column, vector<Nx1>; else null.
static VectorType getColumnType(VectorTransferOpInterface op) {
  VectorType type = op.getVectorType();
  if (type.getRank() != 2 || type.getDimSize(1) != 1 || op.getMask() ||
      !op.getPermutationMap().isIdentity() || op.hasOutOfBoundsDim())
    return {};
  return VectorType::get({type.getDimSize(0)}, type.getElementType());
}

namespace {
/// A column of a tile, vector<Nx1>, is a vector<N> read or written along the
/// first dimension: one loop of scalar accesses, not N vectors of one element.
///
///   transfer_write %v : vector<Nx1>   ->   transfer_write %w : vector<N>
///                                            {permutation_map = (d0, d1) ->
///                                            (d0)}
struct WriteColumn : OpRewritePattern<vector::TransferWriteOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(vector::TransferWriteOp op,
                                PatternRewriter &rewriter) const override {
    VectorType flat = getColumnType(op);
    if (!flat)
      return rewriter.notifyMatchFailure(op, "not a column in bounds");
    Value column = flatSource(op.getVector(), flat);
    if (!column)
      column = vector::ShapeCastOp::create(rewriter, op.getLoc(), flat,
                                           op.getVector());
    AffineMap alongRows = AffineMap::get(2, 0, rewriter.getAffineDimExpr(0));
    rewriter.replaceOpWithNewOp<vector::TransferWriteOp>(
        op, column, op.getBase(), op.getIndices(), alongRows,
        ArrayRef<bool>{true});
    return success();
  }

  /// The vector<N> whose elements `column` merely rearranges into N x 1.
  static Value flatSource(Value column, VectorType flat) {
    while (Operation *op = column.getDefiningOp()) {
      if (!isa<vector::TransposeOp, vector::BroadcastOp, vector::ShapeCastOp>(
              op))
        return {};
      column = op->getOperand(0);
      if (column.getType() == flat)
        return column;
    }
    return {};
  }
};

struct ReadColumn : OpRewritePattern<vector::TransferReadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(vector::TransferReadOp op,
                                PatternRewriter &rewriter) const override {
    VectorType flat = getColumnType(op);
    if (!flat)
      return rewriter.notifyMatchFailure(op, "not a column in bounds");
    AffineMap alongRows = AffineMap::get(2, 0, rewriter.getAffineDimExpr(0));
    Value column = vector::TransferReadOp::create(
        rewriter, op.getLoc(), flat, op.getBase(), op.getIndices(),
        op.getPadding(), alongRows, ArrayRef<bool>{true});
    rewriter.replaceOpWithNewOp<vector::ShapeCastOp>(op, op.getVectorType(),
                                                     column);
    return success();
  }
};
} // namespace

/// Turns what the vectoriser left (unit dimensions, reductions of one row)
/// into plain ops on one vector.
static LogicalResult simplifyVectors(func::FuncOp func) {
  MLIRContext *context = func.getContext();
  // First reductions alone: their patterns add the leading unit dimension that
  // the second round takes away.
  RewritePatternSet reductions(context);
  vector::populateVectorMultiReductionLoweringPatterns(
      reductions, vector::VectorMultiReductionLowering::InnerParallel);
  if (failed(applyPatternsGreedily(func, std::move(reductions))))
    return failure();
  RewritePatternSet unitDims(context);
  vector::populateVectorTransferPermutationMapLoweringPatterns(unitDims);
  vector::populateCastAwayVectorLeadingOneDimPatterns(unitDims);
  if (failed(applyPatternsGreedily(func, std::move(unitDims))))
    return failure();
  // Last, since the patterns above would turn columns back into transposes.
  RewritePatternSet columns(context);
  columns.add<WriteColumn, ReadColumn>(context);
  return applyPatternsGreedily(func, std::move(columns));
}

/// The accumulator of a reduction moves from a slice of the tensor to a vector
/// that the innermost loop carries. Micro-kernels carry vectors already; to ask
/// after the subsets of all their rows would take longer than the rest of the
/// pass.
static void hoistAccumulator(RewriterBase &rewriter, scf::ForOp loop) {
  bool innermost =
      !loop.getBody()
           ->walk([](scf::ForOp) { return WalkResult::interrupt(); })
           .wasInterrupted();
  if (innermost && loop.getNumRegionIterArgs() == 1 &&
      isa<RankedTensorType>(loop.getRegionIterArg(0).getType()))
    (void)hoistLoopInvariantSubsets(
        rewriter, cast<LoopLikeOpInterface>(loop.getOperation()));
}

namespace {
struct TileRegistersPass
    : sparse_attn::impl::SparseAttnTileRegistersBase<TileRegistersPass> {
  using Base::Base;

  void runOnOperation() override {
    if (lanes < 1 || registers < 4) {
      getOperation()->emitError("lanes must be at least 1 and registers at "
                                "least 4");
      return signalPassFailure();
    }
    RegisterFile file{lanes, registers};
    if (!target.empty()) {
      const target::CpuTarget *cpu = target::findCpu(target);
      if (!cpu) {
        getOperation()->emitError("unknown level '")
            << target.getValue() << "'; vectors are made for "
            << target::knownCpus();
        return signalPassFailure();
      }
      file = {cpu->lanes, cpu->registers};
    }
    IRRewriter rewriter(&getContext());
    remarkNarrow(collectReductions(/*numLoops=*/3), file.lanes);
    // Contractions first: they take a constant start from the fill they see.
    for (linalg::GenericOp op : collectReductions(/*numLoops=*/3))
      if (failed(lowerContraction(rewriter, op, file)))
        (void)lowerDotProducts(rewriter, op, file);
    SmallVector<linalg::GenericOp> reading;
    getOperation().walk([&](linalg::GenericOp op) { reading.push_back(op); });
    for (linalg::GenericOp op : reading)
      (void)stageReads(rewriter, op, file.lanes);
    for (linalg::GenericOp op : collectReductions(/*numLoops=*/2))
      (void)fuseIntoRowReduction(rewriter, op);
    for (linalg::GenericOp op : collectReductions(/*numLoops=*/2))
      if (failed(lowerRowReduction(rewriter, op, file)))
        (void)lowerLaneReduction(rewriter, op, file);
    SmallVector<linalg::GenericOp> elementwise;
    getOperation().walk(
        [&](linalg::GenericOp op) { elementwise.push_back(op); });
    for (linalg::GenericOp op : elementwise)
      (void)lowerTransposedTile(rewriter, op, file.lanes);
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops)
      lower(rewriter, op, file.lanes);
    if (failed(simplifyVectors(getOperation())))
      return signalPassFailure();
    getOperation().walk(
        [&](scf::ForOp loop) { hoistAccumulator(rewriter, loop); });
  }

  /// Reductions nested in that many loops. What is rewritten together with one
  /// of them, an epilogue or a producer, is not a reduction.
  SmallVector<linalg::GenericOp> collectReductions(unsigned numLoops) {
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) {
      if (op.getNumLoops() == numLoops && op.getNumReductionLoops() > 0)
        ops.push_back(op);
    });
    return ops;
  }

  void lower(RewriterBase &rewriter, linalg::LinalgOp op, int64_t lanes) {
    if (op.hasPureTensorSemantics() && op->use_empty())
      return rewriter.eraseOp(op);
    FailureOr<scf::SCFTilingResult> tiled = tileToVector(rewriter, op, lanes);
    if (failed(tiled)) {
      // A number made of few others has no lanes to run along.
      if (op.hasDynamicShape())
        remarkScalar(op, "no parallel dimension of it has a known size",
                     "give its tensors static shapes, or leave it to a pass "
                     "before this one");
      return;
    }
    // Slow but right.
    auto vector = cast<linalg::LinalgOp>(tiled->tiledOps.front());
    if (Operation *read = findStridedRead(vector))
      remarkScalar(vector,
                   "it reads elements of a slice (" +
                       read->getName().getStringRef() +
                       "), of which vectors would read others",
                   "read the tensor that it is a slice of");
    else if (hasBits(vector))
      remarkScalar(vector,
                   "it has tensors of i1, which vectors write as bits "
                   "and all else reads as bytes",
                   "use tensors of i8");
    else if (failed(vectorizeOp(rewriter, vector)))
      remarkScalar(vector, "the vectoriser takes no such op",
                   "write it as linalg.generic on elements, or leave it to a "
                   "pass before this one");
  }

  /// Products and reductions are where a kernel's time goes.
  void remarkNarrow(ArrayRef<linalg::GenericOp> ops, int64_t lanes) {
    DenseSet<Attribute> said;
    for (linalg::GenericOp op : ops) {
      std::optional<unsigned> loop = findLaneLoop(op);
      if (!loop)
        continue;
      int64_t range = op.getStaticLoopRanges()[*loop];
      int64_t width = widthAlong(range, lanes);
      if (width == lanes || !said.insert(op.getLoc()).second)
        continue;
      op.emitRemark() << "uses " << width << " of the " << lanes
                      << " lanes of a vector for tiles of " << range
                      << " queries; choose tile-queries as a multiple of "
                      << lanes;
    }
  }
};
} // namespace
