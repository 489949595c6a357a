//===- TileToLinalg.cpp - --sparse-attn-tile-to-linalg --------------------===//
//
// Visits, and exact steps as linalg on f32 tiles [queries, keys], which suits
// no target in particular.
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Transforms/FloatTiles.h"
#include "SparseAttn/Transforms/Passes.h"
#include "VisitTiles.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNTILETOLINALG
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

namespace {
struct TileToLinalgPass
    : sparse_attn::impl::SparseAttnTileToLinalgBase<TileToLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    Operation *root = getOperation();
    if (failed(visitTiles(root, {heavySplits})) ||
        failed(decomposeSteps(root, FloatTarget(TileLayout::queriesOuter()))))
      return signalPassFailure();
    forgetGrids(root);
  }
};
} // namespace
