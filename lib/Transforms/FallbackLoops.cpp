//===- FallbackLoops.cpp - The loops of a fallback path -------------------===//

#include "FallbackLoops.h"
#include "EmitTileExpr.h"
#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

namespace {
/// A loop of one step, whose place decides on the key tile and nothing else.
struct TileLoop {
  scf::ForOp loop;
  StepOp step;
  /// What computes the position of the key tile, in order.
  SetVector<Operation *> position;

  /// Nothing where the loop is of another form.
  static std::optional<TileLoop> match(scf::ForOp loop);
  /// Emits the position of the tile at place `t`.
  Value emitPosition(OpBuilder &b, Value t);
};
} // namespace

std::optional<TileLoop> TileLoop::match(scf::ForOp loop) {
  if (getConstantIntValue(loop.getStep()) != int64_t(1))
    return std::nullopt;
  TileLoop result;
  result.loop = loop;
  auto steps = loop.getBody()->getOps<StepOp>();
  if (!llvm::hasSingleElement(steps))
    return std::nullopt;
  result.step = *steps.begin();
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitBlockArguments = true;
  options.omitUsesFromAbove = false;
  options.filter = [&](Operation *op) {
    return op->getBlock() == loop.getBody();
  };
  if (failed(getBackwardSlice(result.step.getKeyPosition(), &result.position,
                              options)))
    return std::nullopt;
  auto isPosition = [&](Operation *user) {
    Operation *inBody = loop.getBody()->findAncestorOpInBlock(*user);
    return result.position.contains(inBody);
  };
  if (!llvm::all_of(loop.getInductionVar().getUsers(), isPosition))
    return std::nullopt;
  return result;
}

Value TileLoop::emitPosition(OpBuilder &b, Value t) {
  IRMapping mapping;
  mapping.map(loop.getInductionVar(), t);
  for (Operation *op : position)
    b.clone(*op, mapping);
  return mapping.lookupOrDefault(step.getKeyPosition());
}

/// Emits the body of `loop` but for what computes the position of its key tile.
static Value emitBody(OpBuilder &b, TileLoop &from, Value position,
                      Value state) {
  IRMapping mapping;
  mapping.map(from.step.getKeyPosition(), position);
  mapping.map(from.loop.getRegionIterArgs().front(), state);
  for (Operation &op : from.loop.getBody()->without_terminator())
    if (!from.position.contains(&op))
      b.clone(op, mapping);
  return mapping.lookup(from.step.getResult());
}

/// True where no value but the position itself leaves what computes it.
static bool positionIsAll(TileLoop &from) {
  Operation *last = from.step.getKeyPosition().getDefiningOp();
  return llvm::all_of(from.position, [&](Operation *op) {
    return op == last || llvm::all_of(op->getUsers(), [&](Operation *user) {
             return from.position.contains(
                 from.loop.getBody()->findAncestorOpInBlock(*user));
           });
  });
}

static Value mergeLoops(OpBuilder &b, TileLoop &first, TileLoop &second,
                        Value initial) {
  Location loc = first.loop.getLoc();
  IndexMath math{b, loc};
  scf::ForOp early = first.loop, late = second.loop;
  Value turn = early.getUpperBound(), begin = late.getLowerBound();
  Value end = math.add(turn, math.sub(late.getUpperBound(), begin));
  TileLoop &masked = first.step.hasMask() ? first : second;
  auto loop = scf::ForOp::create(
      b, loc, early.getLowerBound(), end, math.constant(1), initial,
      [&](OpBuilder &nested, Location, Value t, ValueRange carried) {
        IndexMath inner{nested, loc};
        Value isLate = inner.compare(arith::CmpIPredicate::sge, t, turn);
        auto position = scf::IfOp::create(
            nested, loc, isLate,
            [&](OpBuilder &in, Location) {
              IndexMath place{in, loc};
              Value after = place.add(place.sub(t, turn), begin);
              scf::YieldOp::create(in, loc, second.emitPosition(in, after));
            },
            [&](OpBuilder &in, Location) {
              scf::YieldOp::create(in, loc, first.emitPosition(in, t));
            });
        Value next =
            emitBody(nested, masked, position.getResult(0), carried.front());
        scf::YieldOp::create(nested, loc, next);
      });
  return loop.getResult(0);
}

Value transforms::repeatLoops(OpBuilder &b, ArrayRef<scf::ForOp> loops,
                              Value initial) {
  if (loops.size() == 2) {
    std::optional<TileLoop> first = TileLoop::match(loops[0]);
    std::optional<TileLoop> second = TileLoop::match(loops[1]);
    if (first && second && first->step.hasMask() != second->step.hasMask() &&
        positionIsAll(first->step.hasMask() ? *first : *second))
      return mergeLoops(b, *first, *second, initial);
  }
  Value state = initial;
  for (scf::ForOp loop : loops) {
    IRMapping mapping;
    mapping.map(loop.getInitArgs().front(), state);
    state = b.clone(*loop, mapping)->getResult(0);
  }
  return state;
}
