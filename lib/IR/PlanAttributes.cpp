//===- PlanAttributes.cpp - Plans as attributes ---------------------------===//

#include "SparseAttn/IR/SparseAttn.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

using ErrorEmitter = llvm::function_ref<InFlightDiagnostic()>;

/// Rejects a bound that is not in the grammar of TileExpr.
static LogicalResult verifyBounds(ErrorEmitter emitError, StringRef begin,
                                  StringRef end) {
  for (StringRef bound : {begin, end}) {
    std::string error;
    if (!TileExpr::parse(bound, error))
      return emitError() << "invalid bound \"" << bound << "\": " << error;
  }
  return success();
}

static SegmentKind kindOf(bool full) {
  return full ? SegmentKind::full : SegmentKind::partial;
}

/// The expression of a verified bound.
static TileExpr parseBound(StringRef text) {
  std::string error;
  return TileExpr::parse(text, error).value_or(TileExpr::constant(0));
}

LogicalResult SegmentAttr::verify(ErrorEmitter emitError, SegmentKind,
                                  StringRef begin, StringRef end) {
  return verifyBounds(emitError, begin, end);
}

LogicalResult DrawAttr::verify(ErrorEmitter emitError, SegmentKind, RandomAttr,
                               StringRef begin, StringRef end) {
  return verifyBounds(emitError, begin, end);
}

static bool dependsOnQueryTile(const TileExpr &expr) {
  switch (expr.getKind()) {
  case TileExpr::Kind::Constant:
  case TileExpr::Kind::NumQueries:
  case TileExpr::Kind::NumKeys:
    return false;
  case TileExpr::Kind::QueryTile:
    return true;
  case TileExpr::Kind::Mul:
  case TileExpr::Kind::FloorDiv:
    return dependsOnQueryTile(expr.getLhs());
  case TileExpr::Kind::Add:
  case TileExpr::Kind::Min:
  case TileExpr::Kind::Max:
    return dependsOnQueryTile(expr.getLhs()) ||
           dependsOnQueryTile(expr.getRhs());
  }
  llvm_unreachable("unknown kind of tile expression");
}

LogicalResult RowsAttr::verify(ErrorEmitter emitError, StringRef begin,
                               StringRef end, bool, ArrayRef<SegmentAttr>,
                               ArrayRef<DrawAttr>) {
  if (failed(verifyBounds(emitError, begin, end)))
    return failure();
  for (StringRef bound : {begin, end})
    if (dependsOnQueryTile(parseBound(bound)))
      return emitError() << "bound \"" << bound
                         << "\" of rows depends on q, the tile of rows that "
                            "it is to bound";
  return success();
}

LogicalResult PlanAttr::verify(ErrorEmitter emitError, int64_t queries,
                               int64_t keys, ArrayRef<RowsAttr> classes) {
  for (int64_t size : {queries, keys})
    if (size < 1 || size > kMaxTileSize)
      return emitError() << "tile sizes must be from 1 to " << kMaxTileSize
                         << ", got [" << queries << ", " << keys << "]";
  if (classes.empty())
    return emitError() << "a plan needs at least one class of rows";
  return success();
}

PlanAttr PlanAttr::get(MLIRContext *context, const Plan &plan) {
  SmallVector<RowsAttr> classes;
  for (const RowClass &cls : plan.classes) {
    SmallVector<SegmentAttr> segments;
    for (const Segment &segment : cls.segments)
      segments.push_back(SegmentAttr::get(context, kindOf(segment.full),
                                          segment.begin.str(),
                                          segment.end.str()));
    SmallVector<DrawAttr> draws;
    for (const Draw &draw : cls.draws) {
      const Mask::RandomOptions &r = draw.random;
      auto random = RandomAttr::get(context, r.block, r.blocksPerRow, r.seed,
                                    r.perHead, r.bigBirdWindowRadius);
      draws.push_back(DrawAttr::get(context, kindOf(draw.full), random,
                                    draw.begin.str(), draw.end.str()));
    }
    classes.push_back(RowsAttr::get(context, cls.rowBegin.str(),
                                    cls.rowEnd.str(), cls.heavy, segments,
                                    draws));
  }
  return PlanAttr::get(context, plan.tile.queries, plan.tile.keys, classes);
}

Plan PlanAttr::getPlan() const {
  Plan plan;
  plan.tile = {getTileQueries(), getTileKeys()};
  for (RowsAttr rows : getClasses()) {
    RowClass cls;
    cls.rowBegin = parseBound(rows.getBegin());
    cls.rowEnd = parseBound(rows.getEnd());
    cls.heavy = rows.getHeavy();
    for (SegmentAttr segment : rows.getSegments())
      cls.segments.push_back({parseBound(segment.getBegin()),
                              parseBound(segment.getEnd()),
                              segment.getKind() == SegmentKind::full});
    for (DrawAttr draw : rows.getDraws())
      cls.draws.push_back(
          {draw.getRandom().getRandomOptions(), parseBound(draw.getBegin()),
           parseBound(draw.getEnd()), draw.getKind() == SegmentKind::full});
    plan.classes.push_back(std::move(cls));
  }
  return plan;
}
