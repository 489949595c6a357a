//===- Specialize.cpp - --sparse-attn-specialize --------------------------===//
//
//   if there are few rows:              attention by tiles of several heads
//   else if there are few blocks:       attention split along the keys
//   else if nk = nq and 64 divides nk:  attention planned for that
//   else:                               attention planned for all lengths
//
//===----------------------------------------------------------------------===//

#include "EmitTileExpr.h"
#include "FewBlocks.h"
#include "PackedHeads.h"
#include "SparseAttn/Plan/SpecialPlans.h"
#include "SparseAttn/Transforms/Passes.h"
#include "TileChoice.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNSPECIALIZE
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// Whether the lengths of `op` are those that `assumed` speaks of.
static Value emitCondition(OpBuilder &b, MaskedReductionOpInterface op,
                           const LengthAssumption &assumed) {
  Location loc = op.getLoc();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto isEqual = [&](Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y);
  };
  auto remainder = [&](Value x, int64_t divisor) -> Value {
    return arith::RemUIOp::create(b, loc, x, constant(divisor));
  };
  Value nq = b.createOrFold<tensor::DimOp>(loc, op.getQuery(), 2);
  Value nk = emitNumKeys(b, op);
  Value holds;
  if (assumed.offsetMultiple == 0)
    holds = isEqual(nq, nk);
  else
    holds = isEqual(remainder(nq, assumed.offsetMultiple),
                    remainder(nk, assumed.offsetMultiple));
  if (assumed.keysMultiple == 1)
    return holds;
  Value isMultiple = isEqual(remainder(nk, assumed.keysMultiple), constant(0));
  return arith::AndIOp::create(b, loc, holds, isMultiple);
}

static std::string print(const Plan &plan, const PlanWork &work) {
  return llvm::formatv("{0} full and {1} partial tiles of {2} x {3}",
                       work.tiles.full, work.tiles.partial, plan.tile.queries,
                       plan.tile.keys);
}

static void report(MaskedReductionOpInterface op, const SpecialPlan &special,
                   const Plan &general) {
  op->emitRemark() << llvm::formatv(
      "is compiled once more for lengths of which {0}: for {1} queries and {2} "
      "keys a head then visits {3}, and {4} by the plan for all lengths, "
      "{5:F2} "
      "times the work",
      special.plan.assumed.str(), special.at.nq, special.at.nk,
      print(special.plan, special.work), print(general, special.generalWork),
      special.generalWork.pairs / special.work.pairs);
}

/// Puts `op` into the other branch of one with the special plan.
static void branch(OpBuilder &b, MaskedReductionOpInterface op,
                   const Plan &special, Value condition) {
  Location loc = op.getLoc();
  auto choice = scf::IfOp::create(b, loc, op->getResultTypes(), condition,
                                  /*withElseRegion=*/true);
  choice->setDiscardableAttr(kOptionalAttr, b.getUnitAttr());
  op->replaceAllUsesWith(choice.getResults());
  OpBuilder inThen = choice.getThenBodyBuilder();
  auto clone = cast<MaskedReductionOpInterface>(inThen.clone(*op));
  clone.setPlanAttr(PlanAttr::get(b.getContext(), special));
  scf::YieldOp::create(inThen, loc, clone->getResults());
  OpBuilder inElse = choice.getElseBodyBuilder();
  auto yield = scf::YieldOp::create(inElse, loc, op->getResults());
  op->moveBefore(yield);
}

/// Whether the split plan pays at a launch, as an i1: where the device has room
/// for more blocks and the keys for as many parts, or where a tile of the
/// general plan would be empty for the most part. Null where it never does.
static Value emitFewBlocks(OpBuilder &b, MaskedReductionOpInterface op,
                           const Plan &split, const Plan &general) {
  // Chips have fewer than so many multiprocessors.
  constexpr int64_t mostMultiprocessors = 256;
  Location loc = op.getLoc();
  IndexMath math{b, loc};
  ReductionShapes shapes(b, op);
  Value two = math.constant(2);
  auto isLess = [](Value x, int64_t limit) {
    std::optional<int64_t> known = getConstantIntValue(x);
    return known && *known < limit;
  };
  Value useful =
      emitUsefulParts(b, loc, split.classes.front(), split.tile, shapes);
  Value most = emitRoomForParts(b, loc, math.constant(mostMultiprocessors),
                                split, shapes);
  Value pays;
  if (!isLess(useful, 2) && !isLess(most, 2)) {
    Value device = SmCountOp::create(b, loc);
    Value room = emitRoomForParts(b, loc, device, split, shapes);
    pays = math.compare(arith::CmpIPredicate::sge, math.min(room, useful), two);
  }
  if (split.tile.queries >= general.tile.queries)
    return pays;
  Value rows = math.constant(split.tile.queries);
  Value areFew =
      math.compare(arith::CmpIPredicate::sle, shapes.numQueries, rows);
  if (getConstantIntValue(areFew) == int64_t(0))
    return pays;
  return pays ? b.createOrFold<arith::OrIOp>(loc, pays, areFew) : areFew;
}

/// The same tiles, with their keys split over the grid.
static Plan splitByGrid(Plan plan) {
  plan.fewBlocks = true;
  for (RowClass &cls : plan.classes)
    cls.heavy = true;
  return plan;
}

/// The general plan for launches of few query tiles: these are small, and their
/// keys are split over the grid.
static Plan splitForFewBlocks(MaskedReductionOpInterface op,
                              const Plan &general, const TileChoice &tiles) {
  if (general.hasPackedHeads())
    return splitByGrid(general);
  TileShape tile = general.tile;
  if (tiles.queries == 0)
    tile.queries = std::min(tile.queries, kFewBlocksRows);
  PlanForms forms = tiles.forms(op);
  return splitByGrid(makePlan(op.getMaskValue(), tile, op.getLengthFacts(),
                              /*losses=*/nullptr, forms.layouts,
                              forms.rowLayouts));
}

/// Tiles of several heads, of which a GPU that is told of its multiprocessors
/// has few.
static void branchOnFewRows(MaskedReductionOpInterface op, const Plan &general,
                            const TileChoice &tiles, bool split) {
  std::optional<Plan> packed = packHeads(op, general, tiles);
  if (!packed)
    return;
  OpBuilder b(op);
  Value pays = emitPackingPays(b, op.getLoc(), ReductionShapes(b, op));
  if (getConstantIntValue(pays) == int64_t(0))
    return;
  op->emitRemark() << "is compiled once more for few query rows, no more than "
                      "query heads a key head: tiles are of "
                   << packed->heads << (packed->heads == 1 ? " head" : " heads")
                   << " then, and " << packed->tile.keys << " keys";
  branch(b, op, split ? splitByGrid(std::move(*packed)) : *packed, pays);
}

/// Split plans have closed forms. Where these visit more than twice what a
/// table does, more parts do not make up for it.
static bool visitsFarMore(MaskedReductionOpInterface op, const Plan &split,
                          const Plan &general) {
  LengthFacts facts = op.getLengthFacts();
  if (!general.hasTables() || !facts.nq || !facts.nk)
    return false;
  mask::Lengths n = {*facts.nq, *facts.nk};
  return countVisitedPairs(split, n, /*head=*/0) >
         2 * countVisitedPairs(general, n, /*head=*/0);
}

static void branchOnFewBlocks(MaskedReductionOpInterface op,
                              const Plan &general, const TileChoice &tiles) {
  OpBuilder b(op);
  Plan split = splitForFewBlocks(op, general, tiles);
  if (visitsFarMore(op, split, general))
    return;
  Value condition = emitFewBlocks(b, op, split, general);
  if (!condition)
    return;
  op->emitRemark()
      << "is compiled once more for launches of few query tiles: "
         "tiles are "
      << split.tile.queries << " x " << split.tile.keys
      << " then, and each query tile's keys are split into as many "
         "parts as the device has room for";
  branch(b, op, split, condition);
}

namespace {
struct SpecializePass
    : sparse_attn::impl::SparseAttnSpecializeBase<SpecializePass> {
  using Base::Base;

  void runOnOperation() override {
    TileChoice tiles{tileQueries, tileKeys, target.getValue(), stages,
                     sharedLimit};
    if (failed(tiles.verify(getOperation())))
      return signalPassFailure();
    SmallVector<MaskedReductionOpInterface> ops;
    getOperation()->walk(
        [&](MaskedReductionOpInterface op) { ops.push_back(op); });
    for (MaskedReductionOpInterface op : ops)
      if (failed(specialize(op, tiles)))
        return signalPassFailure();
  }

  LogicalResult specialize(MaskedReductionOpInterface op,
                           const TileChoice &tiles) const {
    if (!op.getPlan())
      return op->emitOpError("has no plan; run 'sparse-attn-plan' first");
    Plan general = op.getPlan()->getPlan();
    // Where a tile of a larger attention stands is known at run time only.
    if (!op.getOrigin().empty() || !general.assumed.isTrivial() ||
        !isa<RankedTensorType>(op.getQuery().getType()))
      return success();
    // The branches below stand in the other way of those above.
    mask::Mask mask = op.getMaskValue();
    SmallVector<SpecialPlan, 2> specials = makeSpecialPlans(
        mask, general, op.getLengthFacts(), [&](const LengthFacts &facts) {
          return tiles.choose(op, mask, facts);
        });
    bool splits = fewBlocks && tiles.isForGpu();
    if (packedHeads)
      branchOnFewRows(op, general, tiles, splits);
    if (splits)
      branchOnFewBlocks(op, general, tiles);
    // Sequences with lengths of their own differ in what they allow.
    if (!lengths || op.hasLengths())
      return success();
    for (const SpecialPlan &special : specials)
      report(op, special, general);
    // Weaker assumptions are asked about where stronger ones do not hold.
    for (const SpecialPlan &special : specials) {
      OpBuilder b(op);
      branch(b, op, special.plan, emitCondition(b, op, special.plan.assumed));
    }
    return success();
  }
};
} // namespace
