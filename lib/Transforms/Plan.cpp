//===- Plan.cpp - --sparse-attn-plan --------------------------------------===//

#include "SparseAttn/Plan/ChooseTile.h"
#include "SparseAttn/Transforms/Passes.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNPLAN
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;

/// The lengths a plan may rely on. With an origin the op is a tile of a larger
/// attention: the position of its row 0 is a run-time value, and so is the
/// virtual number of queries nq = nk - position.
static LengthFacts getFacts(AttentionOp op) {
  LengthFacts facts;
  facts.nk = op.getStaticNumKeys();
  if (op.getOrigin().empty())
    facts.nq = op.getStaticNumQueries();
  return facts;
}

/// Says so when no query of a mask of known lengths has a live key: legal, but
/// hardly ever meant.
static void warnIfEmpty(AttentionOp op, const Plan &plan,
                        const LengthFacts &facts) {
  if (!facts.nq || !facts.nk)
    return;
  TileCounts counts = countTiles(plan, {*facts.nq, *facts.nk}, /*head=*/0);
  if (counts.full > 0)
    return;
  if (counts.partial == 0 ||
      (op.getMaskValue().isHeadInvariant() &&
       countLivePairs(op.getMaskValue(), {*facts.nq, *facts.nk}, 0) == 0))
    op.emitWarning() << "the mask leaves every query without a key: the output "
                        "will be all zeros; check the mask's bounds and the "
                        "lengths "
                     << *facts.nq << " x " << *facts.nk;
}

namespace {
struct PlanPass : sparse_attn::impl::SparseAttnPlanBase<PlanPass> {
  using Base::Base;

  void runOnOperation() override {
    if (tileQueries < 0 || tileKeys < 0) {
      getOperation()->emitError(
          "tile-queries and tile-keys must not be negative");
      return signalPassFailure();
    }
    if (target != "cpu" && target != "gpu") {
      getOperation()->emitError("unknown target '")
          << target.getValue() << "'; use cpu or gpu";
      return signalPassFailure();
    }
    getOperation()->walk([&](AttentionOp op) {
      if (op.getPlan())
        return;
      Mask mask = op.getMaskValue();
      LengthFacts facts = getFacts(op);
      TileShape tile = chooseTile(op, mask, facts);
      if (tileQueries > 0)
        tile.queries = tileQueries;
      if (tileKeys > 0)
        tile.keys = tileKeys;
      Plan plan = makePlan(mask, tile, facts);
      warnIfEmpty(op, plan, facts);
      op.setPlanAttr(PlanAttr::get(&getContext(), plan));
    });
  }

  TileShape chooseTile(AttentionOp op, const Mask &mask,
                       const LengthFacts &facts) const {
    ShapedType query = op.getQueryType(), value = op.getValueType();
    if (target == "cpu")
      return chooseCpuTile(mask, query.getDimSize(3), facts);
    return chooseGpuTile(mask,
                         std::max(query.getDimSize(3), value.getDimSize(3)),
                         query.getElementTypeBitWidth() / 8, facts);
  }
};
} // namespace
