//===- VerifyPlan.cpp - --sparse-attn-verify-plan -------------------------===//

#include "PlanProof.h"
#include "SparseAttn/Plan/TablePlan.h"
#include "SparseAttn/Transforms/Passes.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNVERIFYPLAN
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
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
  Plan plan = given.getPlan();
  Mask mask = op.getMaskValue();
  LengthFacts facts = op.getLengthFacts();
  for (KeyLayouts keys :
       {KeyLayouts::Contiguous, KeyLayouts::Any, KeyLayouts::InKernels})
    for (RowLayouts rows : {RowLayouts::Contiguous, RowLayouts::Any}) {
      SmallVector<PlanLoss> losses;
      Plan own = makePlan(mask, plan.tile, facts, &losses, keys, rows);
      if (plan.hasTables())
        own = makeTablePlan(mask, own, facts, losses).value_or(own);
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

/// The tiles of a table that exist, full ones that have all their keys.
static TileTable keepInside(const TileTable &table, int64_t size, int64_t nk) {
  TileTable inside;
  for (int64_t q = 0; q < table.numQueryTiles(); ++q) {
    std::vector<int64_t> partial, full;
    for (int64_t start : table.partialOf(q))
      if (start < nk)
        partial.push_back(start);
    for (int64_t start : table.fullOf(q))
      if (start + size <= nk)
        full.push_back(start);
    inside.append(table.rowsOf(q).begin, table.rowsOf(q).end, partial, full);
  }
  return inside;
}

/// Rows need no such care: their loops end with the queries.
static void keepInside(MutableArrayRef<RowClass> classes, TileShape tile,
                       std::optional<int64_t> nk) {
  for (RowClass &cls : classes) {
    if (cls.hasTable())
      cls.table = keepInside(cls.table, tile.keys, *nk);
    for (Segment &segment : cls.segments)
      segment.layout.isContiguous() ? keepInside(segment, tile.keys)
                                    : keepInside(segment);
    for (Draw &draw : cls.draws)
      keepInside(draw, tile.keys);
  }
}

static PlanAttr keepInside(MLIRContext *context, const Plan &all,
                           const LengthFacts &facts) {
  Plan plan = all;
  keepInside(plan.classes, plan.tile, facts.nk);
  for (Part &part : plan.parts)
    keepInside(part.classes, part.tile, facts.nk);
  return PlanAttr::get(context, plan);
}

static LogicalResult verify(MaskedReductionOpInterface op) {
  // Without a query or a key there are no tiles, whatever the bounds say.
  bool isEmpty = staticDim(op.getQueryType(), 2) == int64_t(0) ||
                 op.getKnownKeys() == int64_t(0);
  if (!op.getPlan() || isEmpty || isPlanners(op))
    return success();
  Proof proof = provePlan(op);
  switch (proof.verdict) {
  case Verdict::Proven:
    return success();
  case Verdict::Refuted:
    return reportRefuted(op, proof);
  case Verdict::Unsupported:
    if (LengthFacts facts = op.getLengthFacts();
        op.getPlan()->getPlan().hasTables() && (!facts.nq || !facts.nk))
      return op->emitOpError("plan not proven: ")
             << proof.reason
             << "; write them in the types, or remove the plan to have one "
                "made";
    emitWarning(op.getLoc())
        << "plan not proven: " << proof.reason
        << "; tiles outside of the keys are not visited, but it "
           "may miss pairs; remove the plan to have one made";
    op.setPlanAttr(keepInside(op->getContext(), op.getPlan()->getPlan(),
                              op.getLengthFacts()));
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
