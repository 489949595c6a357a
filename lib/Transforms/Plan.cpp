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

/// True when some query of head 0 has a live key. Looks at few rows first: most
/// masks have one there, and counting all pairs can be slow.
static bool hasLivePair(const Mask &mask, const Lengths &n) {
  sparse_attn::Range rows{n.firstQuery(), n.firstQuery()};
  for (int64_t count = 1; rows.end < n.nk; count *= 16) {
    rows = {rows.end, std::min(rows.end + count, n.nk)};
    if (countLivePairs(mask, n, /*head=*/0, rows) != 0)
      return true;
  }
  return false;
}

/// Says so when no query of a mask of known lengths has a live key: legal, but
/// hardly ever meant.
static void warnIfEmpty(AttentionOp op, const Plan &plan,
                        const LengthFacts &facts) {
  if (!facts.nq || !facts.nk)
    return;
  Lengths lengths{*facts.nq, *facts.nk};
  TileCounts counts = countTiles(plan, lengths, /*head=*/0);
  if (counts.full > 0)
    return;
  Mask mask = op.getMaskValue();
  if (counts.partial == 0 ||
      (mask.isHeadInvariant() && !hasLivePair(mask, lengths)))
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
    getOperation()->walk([&](AttentionOp op) {
      if (op.getPlan())
        return;
      Mask mask = op.getMaskValue();
      LengthFacts facts = getFacts(op);
      TileShape tile =
          chooseCpuTile(mask, op.getQueryType().getDimSize(3), facts);
      if (tileQueries > 0)
        tile.queries = tileQueries;
      if (tileKeys > 0)
        tile.keys = tileKeys;
      Plan plan = makePlan(mask, tile, facts);
      warnIfEmpty(op, plan, facts);
      op.setPlanAttr(PlanAttr::get(&getContext(), plan));
    });
  }
};
} // namespace
