//===- VisitTiles.cpp - --sparse-attn-visit-tiles -------------------------===//
//
//   for each class of rows of the plan, or several that visit the same tiles:
//     forall (batch b, query head h, query tile q)
//       state = initial
//       for kt in the partial tiles of q:  state = step(state, kt, mask)
//       for kt in the full tiles of q:     state = step(state, kt)
//       results = finish(state)
//
// A heavy class (rows that see every key) runs its loops in parts along the
// keys, each with a state of its own, and merges them (split-K). The parts of
// all classes come before anything else.
//
// Results of more columns than a target computes at a time are cut into slices
// of columns, which are to the foralls as more heads are; slices of another
// size have foralls of their own.
//
//===----------------------------------------------------------------------===//

#include "VisitTiles.h"
#include "KeyTileLoops.h"
#include "ScatteredRows.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "sparse-attn-visit-tiles"

namespace mlir::sparse_attn {
#define GEN_PASS_DEF_SPARSEATTNVISITTILES
#include "SparseAttn/Transforms/Passes.h.inc"
} // namespace mlir::sparse_attn

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

void transforms::insertInParallel(OpBuilder &b, Location loc, ValueRange tiles,
                                  ValueRange slices) {
  auto terminator = scf::InParallelOp::create(b, loc);
  b.setInsertionPointToStart(terminator.getBody());
  for (auto [tile, slice] : llvm::zip(tiles, slices)) {
    auto from = slice.getDefiningOp<tensor::ExtractSliceOp>();
    tensor::ParallelInsertSliceOp::create(
        b, loc, tile, from.getSource(), from.getMixedOffsets(),
        from.getMixedSizes(), from.getMixedStrides());
  }
}

/// Whether each query tile of both classes visits the same tiles, and their
/// rows are in order. (A list of drawn tiles is another for each query tile.)
static bool visitTheSame(const RowClass &a, const RowClass &b,
                         const LengthFacts &facts) {
  auto areSame = [](const Segment &x, const Segment &y) {
    auto areFixed = [](const TileExpr &bound) {
      return !bound.dependsOnQueryTile();
    };
    return areFixed(x.begin) && areFixed(x.end) && areFixed(x.when) &&
           x.begin == y.begin && x.end == y.end && x.when == y.when &&
           x.full == y.full && x.where == y.where && x.layout == y.layout;
  };
  auto areNeighbours = [](const RowClass &cls) {
    return cls.layout.isContiguous();
  };
  return areNeighbours(a) && areNeighbours(b) && a.heavy == b.heavy &&
         a.draws.empty() && b.draws.empty() &&
         a.segments.size() == b.segments.size() &&
         llvm::all_of_zip(a.segments, b.segments, areSame) &&
         TileExpr::provablyLE(a.rowBegin, b.rowBegin, facts);
}

/// How many classes, from the first of `classes` on, one grid visits: fewer
/// kernels, and launches with more blocks.
static size_t countTogether(ArrayRef<RowClass> classes,
                            const LengthFacts &facts) {
  size_t count = 1;
  while (count < classes.size() &&
         visitTheSame(classes[count - 1], classes[count], facts))
    ++count;
  return count;
}

namespace {
/// Lowers one op.
class Visits {
public:
  Visits(MaskedReductionOpInterface op, const VisitOptions &options)
      : op(op), loc(op.getLoc()), builder(op), plan(op.getPlan()->getPlan()),
        shapes(builder, op), tables(builder, op, shapes, plan),
        options(options) {}

  SmallVector<Value> run();

private:
  SmallVector<Value> visit(const ColumnGroup &columns,
                           SmallVector<Value> outputs);

  using BodyFn = function_ref<void(OpBuilder &, ValueRange)>;

  /// Whether the class runs in parts along the keys.
  bool isSplit(const RowClass &cls) const {
    return cls.heavy && options.heavySplits > 1;
  }
  SmallVector<Value> visitWhole(const RowClass &cls, const QueryTiles &tiles,
                                ValueRange outputs, bool together);
  SmallVector<Value> emitParts(const RowClass &cls, const QueryTiles &tiles);
  int64_t stepKeysOfParts(const QueryTiles &tiles) const;
  SmallVector<Value> mergeParts(const QueryTiles &tiles, ValueRange parts,
                                ValueRange outputs);
  void report(const RowClass &cls, TileShape tile, int64_t parts) const;
  void finish(OpBuilder &b, const QueryTiles &tiles, const QueryTile &at,
              Value state, ValueRange outputs);
  SmallVector<Value> forall(ValueRange bounds, ValueRange outputs,
                            bool together, BodyFn body);

  MaskedReductionOpInterface op;
  Location loc;
  OpBuilder builder;
  Plan plan;
  ReductionShapes shapes;
  RandomTables tables;
  VisitOptions options;
};
} // namespace

SmallVector<Value> Visits::run() {
  SmallVector<Value> results(op.getInits());
  for (const ColumnGroup &columns :
       cutColumns(op.getTileNeeds().valueDim, options.valueColumns)) {
    // What has no columns is computed with the first of them.
    auto isOf = [&](Value result) {
      return columns.first == 0 ||
             cast<ShapedType>(result.getType()).getRank() > 3;
    };
    SmallVector<Value> some =
        visit(columns, llvm::filter_to_vector(results, isOf));
    for (auto [result, next] :
         llvm::zip(llvm::make_filter_range(results, isOf), some))
      result = next;
  }
  return results;
}

/// Parts come first: they write memory of their own, and so may run together
/// with the rows of the first classes, whose results those of later ones
/// replace.
SmallVector<Value> Visits::visit(const ColumnGroup &columns,
                                 SmallVector<Value> outputs) {
  struct Group {
    const RowClass &cls; ///< the first of those that visit the same tiles
    QueryTiles tiles;
    SmallVector<Value> parts = {};
  };
  SmallVector<Group> groups;
  bool isFirst = true, hasParts = false, firstIsWhole = false;
  for (ArrayRef<RowClass> rest = plan.classes; !rest.empty(); isFirst = false) {
    ArrayRef<RowClass> together = rest.take_front(
        countTogether(rest, LengthFacts().assuming(plan.assumed)));
    rest = rest.drop_front(together.size());
    Group group = {together.front(), QueryTiles(builder, op, shapes, together,
                                                plan.tile, columns)};
    if (group.tiles.isEmpty())
      continue;
    bool split = isSplit(group.cls);
    for (const RowClass &one : together)
      report(one, group.tiles.getTile(), split ? options.heavySplits : 1);
    if (split)
      group.parts = emitParts(group.cls, group.tiles);
    hasParts |= split;
    firstIsWhole |= isFirst && !split;
    groups.push_back(std::move(group));
  }
  for (auto [index, group] : llvm::enumerate(groups)) {
    const QueryTiles &tiles = group.tiles;
    SmallVector<Value> places = outputs;
    if (tiles.getLayout())
      places = makeSlotResults(builder, loc, tiles, outputs);
    SmallVector<Value> results =
        isSplit(group.cls) ? mergeParts(tiles, group.parts, places)
                           : visitWhole(group.cls, tiles, places,
                                        hasParts && firstIsWhole && index == 0);
    outputs = tiles.getLayout()
                  ? scatterRows(builder, loc, shapes, tiles, results, outputs)
                  : results;
  }
  return outputs;
}

/// What a class of rows comes to, as numbers, for who asks for remarks.
void Visits::report(const RowClass &cls, TileShape tile, int64_t parts) const {
  int64_t full = llvm::count_if(
      cls.segments, [](const Segment &segment) { return segment.full; });
  LDBG_OS([&](raw_ostream &os) {
    cls.rowBegin.print(os << "rows ");
    cls.rowEnd.print(os << " to ");
    os << " in tiles of " << tile.queries << " and " << parts
       << " parts along the keys";
  });
  remark::analysis(loc,
                   remark::RemarkOpts::name("row-class").category(DEBUG_TYPE))
      << remark::metric("full-segments", full)
      << remark::metric("partial-segments", cls.segments.size() - full)
      << remark::metric("tile-lists", cls.draws.size())
      << remark::metric("parts", parts);
}

SmallVector<Value> Visits::forall(ValueRange bounds, ValueRange outputs,
                                  bool together, BodyFn body) {
  auto loop = scf::ForallOp::create(
      builder, loc, getAsOpFoldResult(bounds), outputs, std::nullopt,
      [&](OpBuilder &b, Location, ValueRange args) { body(b, args); });
  markAsGrid(loop);
  if (together)
    loop->setDiscardableAttr(kTogetherAttr, builder.getUnitAttr());
  return loop.getResults();
}

/// Writes the results of a tile, as the last thing inside a forall.
void Visits::finish(OpBuilder &b, const QueryTiles &tiles, const QueryTile &at,
                    Value state, ValueRange outputs) {
  SmallVector<Value> slices = tiles.slices(b, at, outputs);
  SmallVector<Value> results = op.createFinish(b, state, slices);
  insertInParallel(b, loc, results, slices);
}

SmallVector<Value> Visits::visitWhole(const RowClass &cls,
                                      const QueryTiles &tiles,
                                      ValueRange outputs, bool together) {
  KeyTileLoops loops(op, shapes, tables, cls, tiles.getTile(),
                     tiles.getNumColumns(), plan.tile.keys);
  return forall(tiles.getBounds(), outputs, together,
                [&](OpBuilder &b, ValueRange args) {
                  QueryTile at = tiles.locate(b, args.take_front(3));
                  finish(b, tiles, at, loops.visit(b, at), args.drop_front(3));
                });
}

/// A part of few rows has few warps, and runs beside others: each takes as much
/// shared memory as its steps have keys.
int64_t Visits::stepKeysOfParts(const QueryTiles &tiles) const {
  constexpr int64_t granule = 16;
  int64_t keys = plan.tile.keys;
  if (options.heavyKeys == 0 || tiles.getTile().queries == plan.tile.queries)
    return keys;
  for (int64_t step = options.heavyKeys; step >= granule; --step)
    if (keys % step == 0 && step % granule == 0)
      return step;
  return keys;
}

/// The states of all parts of a heavy class, as tensors
/// [B, slices of Hq, query tiles, parts, ...].
SmallVector<Value> Visits::emitParts(const RowClass &cls,
                                     const QueryTiles &tiles) {
  KeyTileLoops loops(op, shapes, tables, cls, tiles.getTile(),
                     tiles.getNumColumns(), stepKeysOfParts(tiles));
  SmallVector<Value> bounds = tiles.getBounds();
  bounds.push_back(IndexMath{builder, loc}.constant(options.heavySplits));
  Type stateType = op.getStateType(tiles.getTile(), tiles.getNumColumns());
  SmallVector<Value> parts;
  for (RankedTensorType type : op.getStateTensorTypes(stateType)) {
    SmallVector<OpFoldResult> sizes = getAsOpFoldResult(bounds);
    for (int64_t size : type.getShape())
      sizes.push_back(builder.getIndexAttr(size));
    parts.push_back(
        tensor::EmptyOp::create(builder, loc, sizes, type.getElementType()));
  }
  return forall(
      bounds, parts, /*together=*/true, [&](OpBuilder &b, ValueRange args) {
        QueryTile at = tiles.locate(b, args.take_front(3));
        Value state =
            loops.visit(b, at, {/*part=*/args[3], options.heavySplits});
        SmallVector<Value> slices;
        for (Value part : args.drop_front(4))
          slices.push_back(sliceTrailing(b, loc, part, args.take_front(4)));
        SmallVector<Value> stored = op.createStore(b, state, slices);
        insertInParallel(b, loc, stored, slices);
      });
}

SmallVector<Value> Visits::mergeParts(const QueryTiles &tiles, ValueRange parts,
                                      ValueRange outputs) {
  return forall(tiles.getBounds(), outputs, /*together=*/false,
                [&](OpBuilder &b, ValueRange args) {
                  QueryTile at = tiles.locate(b, args.take_front(3));
                  Value merged = op.createMergeStored(
                      b, parts, args.take_front(3),
                      op.getStateType(tiles.getTile(), tiles.getNumColumns()));
                  finish(b, tiles, at, merged, args.drop_front(3));
                });
}

static bool hasLayouts(const Plan &plan) {
  return llvm::any_of(plan.classes,
                      [](const RowClass &cls) { return cls.hasLayouts(); });
}

static bool hasRowLayouts(const Plan &plan) {
  return llvm::any_of(plan.classes, [](const RowClass &cls) {
    return !cls.layout.isContiguous();
  });
}

LogicalResult transforms::visitTiles(Operation *root,
                                     const VisitOptions &options) {
  if (options.heavySplits < 1)
    return root->emitError("heavy-splits must be at least 1");
  if (options.heavyKeys < 0)
    return root->emitError("heavy-keys must be at least 1, or 0 for as many as "
                           "tiles have");
  int64_t valueColumns = options.valueColumns;
  if (valueColumns < 0 || valueColumns % 8 != 0)
    return root->emitError("value-columns must be a multiple of 8, or 0 for no "
                           "limit");
  WalkResult result = root->walk([&](MaskedReductionOpInterface op) {
    if (!op.getPlan()) {
      op->emitOpError("has no plan; run 'sparse-attn-plan' first");
      return WalkResult::interrupt();
    }
    if (!isa<RankedTensorType>(op.getQuery().getType())) {
      op->emitOpError("on memrefs cannot be tiled; lower it before "
                      "bufferization");
      return WalkResult::interrupt();
    }
    if (!op.takesKeyLayouts() && hasLayouts(op.getPlan()->getPlan())) {
      op->emitOpError("takes contiguous tiles of keys only, and its plan has "
                      "layouts; leave the plan out to have one made");
      return WalkResult::interrupt();
    }
    if (!op.takesRowLayouts() && hasRowLayouts(op.getPlan()->getPlan())) {
      op->emitOpError("takes neighbouring rows only, and its plan has rows in "
                      "layouts; leave the plan out to have one made");
      return WalkResult::interrupt();
    }
    int64_t columns = op.getTileNeeds().valueDim;
    if (valueColumns > 0 && columns > valueColumns && columns % 8 != 0) {
      op->emitOpError("has values of ")
          << columns << " columns, which cannot be cut into slices of at most "
          << valueColumns
          << ", multiples of 8: pad them with zeros to a multiple of 8";
      return WalkResult::interrupt();
    }
    if (failed(verifyMaskHasCode(op)))
      return WalkResult::interrupt();
    op->replaceAllUsesWith(Visits(op, options).run());
    op->erase();
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  root->walk([](MergeOp op) {
    op->replaceAllUsesWith(visitMerge(op));
    op->erase();
  });
  return success();
}

namespace {
struct VisitTilesPass
    : sparse_attn::impl::SparseAttnVisitTilesBase<VisitTilesPass> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(
            visitTiles(getOperation(), {heavySplits, heavyKeys, valueColumns})))
      signalPassFailure();
  }
};
} // namespace
