//===- VisitLoop.cpp - Loops over the visited tiles -----------------------===//

#include "VisitLoop.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

SmallVector<TileRun> transforms::emitRuns(OpBuilder &b, Location loc,
                                          const RowClass &cls,
                                          const TileExprVariables &variables) {
  IndexMath math{b, loc};
  SmallVector<TileRun> runs;
  for (const Segment &segment : cls.segments) {
    Value begin = emitTileExpr(b, loc, segment.begin, variables);
    Value end = emitTileExpr(b, loc, segment.end, variables);
    end = emitEndWhere(b, loc, segment.when, math.max(begin, end), begin,
                       variables);
    runs.push_back({begin, end, segment.full,
                    segment.where ? &*segment.where : nullptr,
                    &segment.layout});
  }
  return runs;
}

VisitSequence::VisitSequence(OpBuilder &b, Location loc,
                             ArrayRef<TileRun> allRuns, TileList list)
    : runs(allRuns), list(list) {
  IndexMath math{b, loc};
  count = math.constant(0);
  for (const TileRun &run : runs) {
    offsets.push_back(count);
    count = math.add(count, math.sub(run.end, run.begin));
  }
  offsets.push_back(count);
  if (list)
    count = math.add(count, list.count);
}

Value VisitSequence::keyTile(OpBuilder &b, Location loc, Value t) const {
  IndexMath math{b, loc};
  Value tile;
  for (auto [index, run] : llvm::enumerate(runs)) {
    // kt = begin_k + (t - offset_k) from the first t that run k owns; empty
    // runs own none, so the last run that starts at or before t is the one.
    Value here = math.add(run.begin, math.sub(t, offsets[index]));
    if (!tile) {
      tile = here;
      continue;
    }
    Value reached = math.compare(arith::CmpIPredicate::sge, t, offsets[index]);
    tile = math.select(reached, here, tile);
  }
  if (!list)
    return tile;
  // Read only where the list owns the tile: elsewhere it may be empty.
  auto listed = [&](OpBuilder &nested) -> Value {
    Value place = IndexMath{nested, loc}.sub(t, offsets.back());
    return tensor::ExtractOp::create(nested, loc, list.tiles, place);
  };
  if (!tile)
    return listed(b);
  Value reached = math.compare(arith::CmpIPredicate::sge, t, offsets.back());
  auto branch = scf::IfOp::create(
      b, loc, reached,
      [&](OpBuilder &nested, Location) {
        scf::YieldOp::create(nested, loc, listed(nested));
      },
      [&](OpBuilder &nested, Location) {
        scf::YieldOp::create(nested, loc, tile);
      });
  return branch.getResult(0);
}
