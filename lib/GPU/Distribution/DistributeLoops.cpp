//===- DistributeLoops.cpp - Loops and branches ---------------------------===//

#include "Distribution.h"
#include "Fragments/NeverUnroll.h"
#include "Fragments/PendingSums.h"
#include "Fragments/Progression.h"
#include "RarePositions.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::kernels;

LogicalResult Distribution::loop(scf::ForOp op) {
  if (llvm::none_of(op.getInitArgs(), isVector))
    return distribute(*op.getBody());
  SmallVector<Value> inits;
  SmallVector<Extent> extents;
  SmallVector<bool> pending;
  for (auto [init, arg, yielded] : llvm::zip(
           op.getInitArgs(), op.getRegionIterArgs(), op.getYieldedValues())) {
    if (!isVector(init)) {
      inits.push_back(init);
      extents.push_back({});
      pending.push_back(false);
      continue;
    }
    auto type = cast<VectorType>(init.getType());
    auto [rows, columns] = shapeOf(type);
    Extent extent = naturalExtent(arg);
    bool isPending = (isZero(init) || fragmentOf(init).isPendingSum) &&
                     carriesPendingSum(arg, yielded);
    Fragment start = isPending ? fragmentOf(init) : complete(init);
    inits.push_back(
        threads.expand(b, op.getLoc(), start, extent, rows, columns));
    extents.push_back(extent);
    pending.push_back(isPending);
  }
  auto loop = scf::ForOp::create(b, op.getLoc(), op.getLowerBound(),
                                 op.getUpperBound(), op.getStep(), inits);
  // A loop without products runs over elements, on the fallback path.
  if (!hasProducts(op))
    neverUnroll(loop);
  Block &body = *loop.getBody();
  op.getInductionVar().replaceAllUsesWith(loop.getInductionVar());
  for (auto [i, arg] : llvm::enumerate(op.getRegionIterArgs())) {
    if (isVector(arg)) {
      setLanes(arg, extents[i], loop.getRegionIterArg(i), pending[i]);
      setLanes(op.getResult(i), extents[i], loop.getResult(i), pending[i]);
    } else {
      arg.replaceAllUsesWith(loop.getRegionIterArg(i));
      op.getResult(i).replaceAllUsesWith(loop.getResult(i));
    }
  }
  // An empty body has no terminator yet where values are carried.
  body.getOperations().splice(body.end(), op.getBody()->getOperations());
  // An iteration on the rare path computes addresses and positions anew:
  // speed is no matter there, and kept for it they would be in the way.
  Threads outside = threads;
  if (isRare && hasProducts(loop)) {
    b.setInsertionPointToStart(&body);
    threads = threads.renumbered(b, op.getLoc());
  }
  if (failed(distribute(body)))
    return failure();
  threads = outside;
  Operation *yield = body.getTerminator();
  b.setInsertionPoint(yield);
  for (auto [i, operand] : llvm::enumerate(yield->getOpOperands())) {
    Value value = operand.get();
    if (!isVector(value))
      continue;
    auto [rows, columns] = shapeOf(cast<VectorType>(value.getType()));
    Fragment end = pending[i] ? fragmentOf(value) : complete(value);
    operand.set(threads.expand(b, op.getLoc(), end, extents[i], rows, columns));
  }
  b.setInsertionPointAfter(loop);
  // Its block keeps the old arguments until their users are gone.
  replaced.push_back(op);
  return success();
}

bool Distribution::hasFallback(gpu::LaunchOp launch) {
  return launch
      .walk([](scf::IfOp branch) {
        return hasLoopsOfProducts(branch.getThenRegion()) ||
                       hasLoopsOfProducts(branch.getElseRegion())
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Makes both blocks of a branch yield what threads hold of result `number`.
/// Whether these are parts of a sum that is still to be taken.
bool Distribution::handOn(scf::IfOp branch, unsigned number, Extent extent) {
  SmallVector<Operation *, 2> yields = {branch.thenYield(), branch.elseYield()};
  bool isPending = llvm::all_of(yields, [&](Operation *yield) {
    return fragmentOf(yield->getOperand(number)).isPendingSum;
  });
  for (Operation *yield : yields) {
    b.setInsertionPoint(yield);
    Value value = yield->getOperand(number);
    auto [rows, columns] = shapeOf(cast<VectorType>(value.getType()));
    Fragment end = isPending ? fragmentOf(value) : complete(value);
    yield->setOperand(
        number, threads.expand(b, branch.getLoc(), end, extent, rows, columns));
  }
  return isPending;
}

/// Both blocks hand on what threads hold. A block with loops over tiles of its
/// own, which only rare inputs reach, computes all addresses and positions
/// anew, and so does what comes behind it: else every thread would keep, for
/// their sake, registers through the loops that came before.
LogicalResult Distribution::branch(scf::IfOp op) {
  Location loc = op.getLoc();
  SmallVector<Type> types(op.getResultTypes());
  SmallVector<Extent> extents(types.size());
  for (auto [result, type, extent] :
       llvm::zip(op.getResults(), types, extents)) {
    auto vector = dyn_cast<VectorType>(type);
    if (!vector)
      continue;
    auto [rows, columns] = shapeOf(vector);
    extent = naturalExtent(result);
    type = lanesType(vector.getElementType(), extent,
                     threads.count(extent, rows, columns));
  }
  auto fresh = scf::IfOp::create(b, loc, types, op.getCondition(),
                                 /*addThenBlock=*/false,
                                 /*addElseBlock=*/false);
  fresh.getThenRegion().takeBody(op.getThenRegion());
  fresh.getElseRegion().takeBody(op.getElseRegion());
  bool isLong = false;
  for (Region *region : {&fresh.getThenRegion(), &fresh.getElseRegion()}) {
    Block &body = region->front();
    Threads outside = threads;
    bool wasRare = isRare;
    if (hasLoopsOfProducts(*region)) {
      isLong = isRare = true;
      b.setInsertionPointToStart(&body);
      threads = threads.renumbered(b, loc);
    }
    if (failed(distribute(body)))
      return failure();
    threads = outside;
    isRare = wasRare;
  }
  for (auto [i, old] : llvm::enumerate(op.getResults())) {
    if (isVector(old))
      setLanes(old, extents[i], fresh.getResult(i),
               /*isPendingSum=*/handOn(fresh, i, extents[i]));
    else
      old.replaceAllUsesWith(fresh.getResult(i));
  }
  b.setInsertionPointAfter(fresh);
  if (isLong && fresh->getParentOp() == launch)
    threads = threads.renumbered(b, loc);
  replaced.push_back(op);
  return success();
}
