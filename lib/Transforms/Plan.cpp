//===- Plan.cpp - --sparse-attn-plan --------------------------------------===//

#include "PackedHeads.h"
#include "SparseAttn/Plan/TablePlan.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "sparse-attn-plan"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNPLAN
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// So many rows are looked at for a live key. Nearly all masks have one in the
/// first row, and those with none anywhere should not take minutes to plan.
constexpr int64_t kMaxRowsSearched = int64_t(1) << 20;

/// True when a query of head 0 has a live key, or may have one further on.
static bool hasLivePair(const Mask &mask, const Lengths &n) {
  int64_t begin = n.firstQuery();
  for (int64_t count = 1; begin < n.nk; count *= 16) {
    if (begin - n.firstQuery() >= kMaxRowsSearched)
      return true;
    int64_t end = std::min(begin + count, n.nk);
    if (countLivePairs(mask, n, /*head=*/0, {begin, end}) != 0)
      return true;
    begin = end;
  }
  return false;
}

/// True when a query tile of head 0 visits a key tile, or may do so further on.
static bool visitsTiles(const Plan &plan, const Lengths &n) {
  for (const RowClass &cls : plan.classes) {
    if (!cls.table.starts.empty())
      return true;
    int64_t tiles = cls.numQueryTiles(plan.tile, n);
    for (int64_t q = 0; q < tiles; ++q) {
      auto visits = [&](const Segment &segment) {
        return segment.begin.evaluate(q, n) < segment.end.evaluate(q, n);
      };
      if (q * plan.tile.queries >= kMaxRowsSearched ||
          llvm::any_of(cls.segments, visits) ||
          !visitedTiles(cls, plan.tile, n, /*head=*/0, q).empty())
        return true;
    }
  }
  return false;
}

/// Says so when no query of a mask of known lengths, and without data, has a
/// live key: legal, but hardly ever meant.
static void warnIfEmpty(MaskedReductionOpInterface op, const Plan &plan,
                        const LengthFacts &facts) {
  if (!facts.nq || !facts.nk)
    return;
  Lengths n{*facts.nq, *facts.nk};
  Mask mask = op.getMaskValue();
  if (mask.readsData())
    return;
  bool isLive =
      mask.isHeadInvariant() ? hasLivePair(mask, n) : visitsTiles(plan, n);
  if (!isLive)
    emitWarning(op.getLoc())
        << "the mask leaves every query without a key: the output "
           "will be all zeros; check the mask's bounds and the "
           "lengths "
        << n.nq << " x " << n.nk;
}

/// Of all parts.
static size_t countClasses(const Plan &plan) {
  size_t count = plan.classes.size();
  for (const Part &part : plan.parts)
    count += part.classes.size();
  return count;
}

/// What a plan comes to, as numbers of tiles of one head, for who asks for
/// remarks: the tiles of a long sequence take time to count.
static void reportTiles(MaskedReductionOpInterface op, const Plan &plan,
                        const LengthFacts &facts) {
  if (!op->getContext()->getRemarkEngine())
    return;
  auto report = remark::analysis(
      op->getLoc(), remark::RemarkOpts::name("tiles").category(DEBUG_TYPE));
  report << remark::metric("tile-queries", plan.tile.queries)
         << remark::metric("tile-heads", plan.heads)
         << remark::metric("tile-keys", plan.tile.keys)
         << remark::metric("row-classes", countClasses(plan));
  if (!plan.parts.empty())
    report << remark::metric("parts", plan.parts.size());
  if (!facts.nq || !facts.nk)
    return;
  TileCounts tiles = countTiles(plan, {*facts.nq, *facts.nk}, /*head=*/0);
  report << remark::metric("full", tiles.full)
         << remark::metric("partial", tiles.partial)
         << remark::metric("skipped", tiles.empty);
}

namespace {
struct PlanPass : sparse_attn::impl::SparseAttnPlanBase<PlanPass> {
  using Base::Base;

  void runOnOperation() override {
    TileChoice tiles{tileQueries, tileKeys, target.getValue(), stages,
                     sharedLimit};
    if (failed(tiles.verify(getOperation())))
      return signalPassFailure();
    getOperation()->walk([&](MaskedReductionOpInterface op) {
      if (op.getPlan())
        return;
      Mask mask = op.getMaskValue();
      LengthFacts facts = op.getLengthFacts();
      SmallVector<PlanLoss> losses;
      auto chooseTile = [&](const Mask &some, const LengthFacts &known) {
        return tiles.choose(op, some, known);
      };
      Plan plan =
          makePlanOfParts(mask, chooseTile, facts, tiles.forms(op), &losses);
      if (packingPays(op))
        if (std::optional<Plan> packed = packHeads(op, plan, tiles))
          plan = *packed;
      if (!plan.hasPackedHeads() && !mask.readsData() && !op.needsPlainPlan())
        if (std::optional<Plan> byTable = makeTablePlan(
                mask, plan, facts, losses, tiles.tableTiles(op, plan.tile)))
          plan = std::move(*byTable);
      for (const PlanLoss &loss : losses)
        emitRemark(op.getLoc()) << describe(loss);
      warnIfEmpty(op, plan, facts);
      reportTiles(op, plan, facts);
      LDBG_OS([&](raw_ostream &os) {
        os << "mask " << op.getMask() << " has the plan\n";
        printPlan(plan, os);
      });
      op.setPlanAttr(PlanAttr::get(&getContext(), plan));
    });
  }
};
} // namespace
