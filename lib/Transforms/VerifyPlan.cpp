//===- VerifyPlan.cpp - --sparse-attn-verify-plan -------------------------===//

#include "PlanProof.h"
#include "SparseAttn/Transforms/Passes.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNVERIFYPLAN
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;
using namespace mlir::sparse_attn::transforms;

/// True for what the planner makes of the op itself, for any target: as plans
/// are made anew in no time, and proofs are not, most plans that come in a file
/// need none.
static bool isPlanners(MaskedReductionOpInterface op) {
  PlanAttr given = *op.getPlan();
  if (!given.getParts().empty())
    return false;
  for (KeyLayouts keys :
       {KeyLayouts::Contiguous, KeyLayouts::Any, KeyLayouts::InKernels})
    for (RowLayouts rows : {RowLayouts::Contiguous, RowLayouts::Any}) {
      Plan own = makePlan(op.getMaskValue(), given.getPlan().tile,
                          op.getLengthFacts(), /*losses=*/nullptr, keys, rows);
      if (given == PlanAttr::get(op->getContext(), own))
        return true;
    }
  return false;
}

/// Cuts key tiles to those that exist: nothing outside of K is read then,
/// whatever else the plan gets wrong.
template <typename Tiles> static void keepInside(Tiles &tiles, int64_t size) {
  TileExpr numTiles = tiles.full ? TileExpr::numKeys().floorDiv(size)
                                 : TileExpr::numKeys().ceilDiv(size);
  tiles.begin = TileExpr::max(TileExpr::constant(0), tiles.begin);
  tiles.end = TileExpr::min(numTiles, tiles.end);
}

/// The rows that a layout names are looked for inside of K whatever they are.
/// But a list has an end of its own, and a lattice no more slots than keys.
static void keepInside(Segment &segment) {
  std::optional<int64_t> slots = segment.layout.numSlots();
  TileExpr numSlots = slots ? TileExpr::constant(*slots) : TileExpr::numKeys();
  segment.begin = TileExpr::max(TileExpr::constant(0), segment.begin);
  segment.end =
      TileExpr::min(numSlots.ceilDiv(segment.layout.tile), segment.end);
}

/// Rows need no such care: their loops end with the queries.
static void keepInside(MutableArrayRef<RowClass> classes, TileShape tile) {
  for (RowClass &cls : classes) {
    for (Segment &segment : cls.segments)
      segment.layout.isContiguous() ? keepInside(segment, tile.keys)
                                    : keepInside(segment);
    for (Draw &draw : cls.draws)
      keepInside(draw, tile.keys);
  }
}

static PlanAttr keepInside(MLIRContext *context, Plan plan) {
  keepInside(plan.classes, plan.tile);
  for (Part &part : plan.parts)
    keepInside(part.classes, part.tile);
  return PlanAttr::get(context, plan);
}

static LogicalResult verify(MaskedReductionOpInterface op) {
  // Without a query or a key there are no tiles, whatever the bounds say.
  bool isEmpty = staticDim(op.getQueryType(), 2) == int64_t(0) ||
                 staticDim(op.getKeyType(), 2) == int64_t(0);
  if (!op.getPlan() || isEmpty || isPlanners(op))
    return success();
  Proof proof = provePlan(op);
  switch (proof.verdict) {
  case Verdict::Proven:
    return success();
  case Verdict::Refuted:
    return reportRefuted(op, proof);
  case Verdict::Unsupported:
    op->emitWarning() << "plan not proven: " << proof.reason
                      << "; tiles outside of the keys are not visited, but it "
                         "may miss pairs; remove the plan to have one made";
    op.setPlanAttr(keepInside(op->getContext(), op.getPlan()->getPlan()));
    return success();
  }
  llvm_unreachable("unknown verdict");
}

namespace {
struct VerifyPlanPass
    : sparse_attn::impl::SparseAttnVerifyPlanBase<VerifyPlanPass> {
  void runOnOperation() override {
    bool isSound = true;
    getOperation()->walk([&](MaskedReductionOpInterface op) {
      isSound &= succeeded(verify(op));
    });
    if (!isSound)
      signalPassFailure();
  }
};
} // namespace
