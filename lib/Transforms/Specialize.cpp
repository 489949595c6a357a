//===- Specialize.cpp - --sparse-attn-specialize --------------------------===//
//
//   if nk = nq and 64 divides nk:  attention planned for that
//   else:                          attention planned for all lengths
//
//===----------------------------------------------------------------------===//

#include "SparseAttn/Plan/SpecialPlans.h"
#include "SparseAttn/Transforms/Passes.h"
#include "TileChoice.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
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
  Value nk = b.createOrFold<tensor::DimOp>(loc, op.getKey(), 2);
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
static void branch(MaskedReductionOpInterface op, const Plan &special) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value condition = emitCondition(b, op, special.assumed);
  auto choice = scf::IfOp::create(b, loc, op->getResultTypes(), condition,
                                  /*withElseRegion=*/true);
  op->replaceAllUsesWith(choice.getResults());
  OpBuilder inThen = choice.getThenBodyBuilder();
  auto clone = cast<MaskedReductionOpInterface>(inThen.clone(*op));
  clone.setPlanAttr(PlanAttr::get(b.getContext(), special));
  scf::YieldOp::create(inThen, loc, clone->getResults());
  OpBuilder inElse = choice.getElseBodyBuilder();
  auto yield = scf::YieldOp::create(inElse, loc, op->getResults());
  op->moveBefore(yield);
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

  static LogicalResult specialize(MaskedReductionOpInterface op,
                                  const TileChoice &tiles) {
    if (!op.getPlan())
      return op->emitOpError("has no plan; run 'sparse-attn-plan' first");
    Plan general = op.getPlan()->getPlan();
    // Where a tile of a larger attention stands is known at run time only.
    if (!op.getOrigin().empty() || !general.assumed.isTrivial() ||
        !isa<RankedTensorType>(op.getQuery().getType()))
      return success();
    mask::Mask mask = op.getMaskValue();
    SmallVector<SpecialPlan, 2> specials = makeSpecialPlans(
        mask, general, op.getLengthFacts(), [&](const LengthFacts &facts) {
          return tiles.choose(op, mask, facts);
        });
    for (const SpecialPlan &special : specials)
      report(op, special, general);
    // Weaker assumptions are asked about where stronger ones do not hold.
    for (const SpecialPlan &special : specials)
      branch(op, special.plan);
    return success();
  }
};
} // namespace
