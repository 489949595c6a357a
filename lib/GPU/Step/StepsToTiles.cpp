//===- StepsToTiles.cpp - --sparse-attn-steps-to-tiles --------------------===//

#include "SparseAttn/GPU/IR/SparseAttnGPU.h"
#include "SparseAttn/GPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "TensorCoreTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNSTEPSTOTILES
#include "SparseAttn/GPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

/// Says that the iterations of a grid are blocks of threads, which also keeps
/// loops that run once from being folded away.
static void mapToBlocks(scf::ForallOp loop) {
  size_t rank = loop.getRank();
  SmallVector<Attribute> mapping;
  for (size_t dim = rank; dim-- > 0;)
    mapping.push_back(gpu::GPUBlockMappingAttr::get(
        loop.getContext(),
        static_cast<gpu::MappingId>(
            static_cast<size_t>(gpu::MappingId::LinearDim0) + dim)));
  loop.setMappingAttr(ArrayAttr::get(loop.getContext(), mapping));
}

namespace {
struct StepsToTilesPass
    : sparse_attn::impl::SparseAttnStepsToTilesBase<StepsToTilesPass> {
  using Base::Base;

  void runOnOperation() override {
    Operation *root = getOperation();
    if (failed(decomposeSteps(root, TensorCoreTarget())))
      return signalPassFailure();
    root->walk([](scf::ForallOp loop) {
      if (transforms::isGrid(loop))
        mapToBlocks(loop);
    });
  }
};
} // namespace
