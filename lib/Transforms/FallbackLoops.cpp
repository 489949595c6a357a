//===- FallbackLoops.cpp - The loops of a fallback path -------------------===//

#include "FallbackLoops.h"
#include "EmitTileExpr.h"
#include "TileLoop.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

namespace {
/// A chain of loops as one, which visits the places of one after the other.
class MergedLoops {
public:
  MergedLoops(OpBuilder &b, MutableArrayRef<TileLoop> loops);

  Value emit(Value initial);

private:
  Value emitPosition(OpBuilder &in, Value t, unsigned number);
  Value emitStep(OpBuilder &in, Value position, Value state);
  Value emitMask(OpBuilder &in, TileLoop &from, Value position,
                 ValueRange pair);

  OpBuilder &b;
  Location loc;
  MutableArrayRef<TileLoop> loops;
  /// The places where loops begin, and where the last one ends.
  SmallVector<Value> turns;
  /// Whether the place belongs to a loop or one behind it, but for the first.
  SmallVector<Value> isBehind;
};
} // namespace

MergedLoops::MergedLoops(OpBuilder &b, MutableArrayRef<TileLoop> loops)
    : b(b), loc(loops.front().loop.getLoc()), loops(loops) {
  IndexMath math{b, loc};
  scf::ForOp first = loops.front().loop;
  turns = {first.getLowerBound(), first.getUpperBound()};
  for (TileLoop &next : loops.drop_front()) {
    Value count =
        math.sub(next.loop.getUpperBound(), next.loop.getLowerBound());
    turns.push_back(math.add(turns.back(), count));
  }
}

/// The position at place t, which belongs to loop `number` or one behind it.
Value MergedLoops::emitPosition(OpBuilder &in, Value t, unsigned number) {
  TileLoop &from = loops[number];
  auto here = [&](OpBuilder &at) {
    IndexMath math{at, loc};
    Value place = number == 0 ? t
                              : math.add(math.sub(t, turns[number]),
                                         from.loop.getLowerBound());
    return from.emitPosition(at, place);
  };
  if (number + 1 == loops.size())
    return here(in);
  auto branch = scf::IfOp::create(
      in, loc, isBehind[number],
      [&](OpBuilder &at, Location) {
        scf::YieldOp::create(at, loc, emitPosition(at, t, number + 1));
      },
      [&](OpBuilder &at, Location) {
        scf::YieldOp::create(at, loc, here(at));
      });
  return branch.getResult(0);
}

/// What a loop says of a pair, whose tile may be another's.
Value MergedLoops::emitMask(OpBuilder &in, TileLoop &from, Value position,
                            ValueRange pair) {
  StepOp step = from.step;
  if (!step.hasMask())
    return arith::ConstantOp::create(in, loc, in.getBoolAttr(true));
  IRMapping mapping;
  Block &mask = step.getMask().front();
  mapping.map(mask.getArguments(), pair);
  mapping.map(step.getKeyPosition(), position);
  // What the mask takes from the body of its loop comes along.
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.omitBlockArguments = true;
  options.filter = [&](Operation *op) {
    return op->getBlock() == from.loop.getBody() && !from.position.contains(op);
  };
  mask.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp();
          producer && options.filter(producer)) {
        (void)getBackwardSlice(producer, &slice, options);
        slice.insert(producer);
      }
  });
  for (Operation *op : slice)
    in.clone(*op, mapping);
  for (Operation &op : mask.without_terminator())
    in.clone(op, mapping);
  return mapping.lookupOrDefault(
      cast<YieldOp>(mask.getTerminator()).getValue());
}

/// A copy of a step with a mask, and of all its loop's body but for what
/// computes the position and the reach. A pair is live where the loop that the
/// place belongs to says so.
Value MergedLoops::emitStep(OpBuilder &in, Value position, Value state) {
  TileLoop &from =
      *llvm::find_if(loops, [](TileLoop &loop) { return loop.step.hasMask(); });
  IRMapping mapping;
  mapping.map(from.step.getKeyPosition(), position);
  mapping.map(from.loop.getRegionIterArgs().front(), state);
  for (Operation &op : from.loop.getBody()->without_terminator())
    if (!from.position.contains(&op) && !from.reach.contains(&op))
      in.clone(op, mapping);
  Value result = mapping.lookup(from.step.getResult());
  // The tile may be another loop's, and so of another reach.
  auto step = result.getDefiningOp<StepOp>();
  step.dropReach();
  Block &mask = step.getMask().front();
  Operation *yield = mask.getTerminator();
  OpBuilder inside(yield);
  Value live;
  for (unsigned k = loops.size(); k-- > 0;) {
    Value says = &loops[k] == &from ? yield->getOperand(0)
                                    : emitMask(inside, loops[k], position,
                                               mask.getArguments());
    live = live ? arith::SelectOp::create(inside, loc, isBehind[k], live, says)
                      .getResult()
                : says;
  }
  yield->setOperand(0, live);
  return result;
}

Value MergedLoops::emit(Value initial) {
  IndexMath math{b, loc};
  auto loop = scf::ForOp::create(
      b, loc, turns.front(), turns.back(), math.constant(1), initial,
      [&](OpBuilder &in, Location, Value t, ValueRange carried) {
        IndexMath inner{in, loc};
        for (unsigned k = 1; k < loops.size(); ++k)
          isBehind.push_back(
              inner.compare(arith::CmpIPredicate::sge, t, turns[k]));
        Value position = emitPosition(in, t, /*number=*/0);
        scf::YieldOp::create(in, loc, emitStep(in, position, carried.front()));
      });
  return loop.getResult(0);
}

/// A copy of a loop that begins with `state`.
static Value repeatLoop(OpBuilder &b, scf::ForOp loop, Value state) {
  IRMapping mapping;
  mapping.map(loop.getInitArgs().front(), state);
  return b.clone(*loop, mapping)->getResult(0);
}

Value transforms::repeatLoops(OpBuilder &b, ArrayRef<scf::ForOp> loops,
                              Value initial) {
  SmallVector<TileLoop> merged;
  for (scf::ForOp loop : loops)
    if (std::optional<TileLoop> tileLoop = TileLoop::match(loop);
        tileLoop && (merged.empty() || tileLoop->isLike(merged.front())))
      merged.push_back(*tileLoop);
  bool hasMask =
      llvm::any_of(merged, [](TileLoop &loop) { return loop.step.hasMask(); });
  if (merged.size() < 2 || !hasMask)
    merged.clear();
  Value state = merged.empty() ? initial : MergedLoops(b, merged).emit(initial);
  for (scf::ForOp loop : loops)
    if (llvm::none_of(merged,
                      [&](TileLoop &other) { return other.loop == loop; }))
      state = repeatLoop(b, loop, state);
  return state;
}
