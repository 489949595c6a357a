//===- StepsToLanes.cpp - --sparse-attn-steps-to-lanes --------------------===//

#include "SparseAttn/CPU/Passes.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Target/Target.h"
#include "SparseAttn/Transforms/FloatTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNSTEPSTOLANES
#include "SparseAttn/CPU/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

namespace {
/// Queries are the lanes, unless so few that most lanes would be empty.
class LaneTarget : public FloatTarget {
public:
  LaneTarget() : FloatTarget(TileLayout::queriesInner()) {}

  std::unique_ptr<TileOps> tiles(OpBuilder &b, Location loc,
                                 const StepInfo &step) const override {
    if (step.state.getRows() > target::kFewRows)
      return FloatTarget::tiles(b, loc, step);
    return FloatTarget(TileLayout::queriesOuter()).tiles(b, loc, step);
  }
  bool writesRows() const override { return true; }
};

struct StepsToLanesPass
    : sparse_attn::impl::SparseAttnStepsToLanesBase<StepsToLanesPass> {
  using Base::Base;

  void runOnOperation() override {
    Operation *root = getOperation();
    if (failed(decomposeSteps(root, LaneTarget())))
      return signalPassFailure();
    forgetGrids(root);
  }
};
} // namespace
