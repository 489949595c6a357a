//===- LowerAddresses.cpp - --sparse-attn-lower-addresses -----------------===//

#include "SparseAttn/GPU/Passes.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNLOWERADDRESSES
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

namespace {
struct LowerAddressesPass
    : sparse_attn::impl::SparseAttnLowerAddressesBase<LowerAddressesPass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    memref::populateExpandStridedMetadataPatterns(patterns);
    populateAffineToStdConversionPatterns(patterns);
    // A kernel has thousands of operations, of which a few are views and maps.
    SmallVector<Operation *> addresses;
    getOperation().walk([&](Operation *op) {
      if (isa_and_present<memref::MemRefDialect, affine::AffineDialect>(
              op->getDialect()))
        addresses.push_back(op);
    });
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
    if (failed(applyOpPatternsGreedily(addresses, std::move(patterns), config)))
      signalPassFailure();
  }
};
} // namespace
