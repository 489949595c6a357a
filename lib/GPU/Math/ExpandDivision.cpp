//===- ExpandDivision.cpp - --sparse-attn-expand-division -----------------===//

#include "SparseAttn/GPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNEXPANDDIVISION
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
/// x floordiv 2^n is a shift; upstream's expansion would divide.
struct ShiftFloorDivision : OpRewritePattern<arith::FloorDivSIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::FloorDivSIOp op,
                                PatternRewriter &rewriter) const override {
    APInt divisor;
    if (!matchPattern(op.getRhs(), m_ConstantInt(&divisor)) ||
        !divisor.isPowerOf2() || !op.getType().isIntOrIndex())
      return rewriter.notifyMatchFailure(op, "not by a power of two");
    Value bits = arith::ConstantOp::create(
        rewriter, op.getLoc(),
        rewriter.getIntegerAttr(op.getType(), divisor.logBase2()));
    rewriter.replaceOpWithNewOp<arith::ShRSIOp>(op, op.getLhs(), bits);
    return success();
  }
};

struct ExpandDivisionPass
    : sparse_attn::impl::SparseAttnExpandDivisionBase<ExpandDivisionPass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ShiftFloorDivision>(&getContext(), /*benefit=*/2);
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    // No expansion makes another division of these, so one walk is enough; a
    // greedy driver would fold every operation of the kernels besides.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
