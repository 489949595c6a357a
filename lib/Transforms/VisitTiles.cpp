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
// A plan of parts is visited part by part: those before the last store the
// state of each row, and the last one merges its own with these.
//
// Results of more columns than a target computes at a time are cut into slices
// of columns, which are to the foralls as more heads are; slices of another
// size have foralls of their own.
//
//===----------------------------------------------------------------------===//

#include "VisitTiles.h"
#include "FewBlocks.h"
#include "KeyTileLoops.h"
#include "ScatteredRows.h"
#include "SparseAttn/Mask/Predicate.h"
#include "SparseAttn/Transforms/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/DebugLog.h"
#include <memory>

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
    return cls.layout.isContiguous() && !cls.hasTable();
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

//===----------------------------------------------------------------------===//
// States of parts
//===----------------------------------------------------------------------===//

namespace {
/// The states that all parts of a plan but the last leave in memory, as tensors
/// [parts, B, slices of Hq, rows, ...]. There are as many rows as all parts
/// need that write whole tiles.
class PartStates {
public:
  PartStates(OpBuilder &b, MaskedReductionOpInterface op, Value batch,
             Value heads, Value rows, int64_t parts, Type state);

  ValueRange getTensors() const { return tensors; }
  void setTensors(ValueRange next) { tensors.assign(next.begin(), next.end()); }

private:
  SmallVector<Value> tensors;
};
} // namespace

PartStates::PartStates(OpBuilder &b, MaskedReductionOpInterface op, Value batch,
                       Value heads, Value rows, int64_t parts, Type state) {
  for (RankedTensorType type : op.getStateTensorTypes(state)) {
    SmallVector<OpFoldResult> sizes = {
        b.getIndexAttr(parts), getAsOpFoldResult(batch),
        getAsOpFoldResult(heads), getAsOpFoldResult(rows)};
    for (int64_t size : type.getShape().drop_front())
      sizes.push_back(b.getIndexAttr(size));
    tensors.push_back(
        tensor::EmptyOp::create(b, op.getLoc(), sizes, type.getElementType()));
  }
}

/// Slices [rows, ...], or, where `part` is null, [parts, rows, ...].
static Value sliceStates(OpBuilder &b, Location loc, Value tensor, Value part,
                         ValueRange ids, const QueryTile &at, int64_t rows) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> offsets, sizes,
      strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<int64_t> shape;
  offsets.push_back(part ? getAsOpFoldResult(part)
                         : OpFoldResult(b.getIndexAttr(0)));
  sizes.push_back(b.getIndexAttr(part ? 1 : type.getDimSize(0)));
  if (!part)
    shape.push_back(type.getDimSize(0));
  for (Value id : ids.take_front(2)) {
    offsets.push_back(getAsOpFoldResult(id));
    sizes.push_back(b.getIndexAttr(1));
  }
  offsets.push_back(getAsOpFoldResult(at.row));
  sizes.push_back(b.getIndexAttr(rows));
  shape.push_back(rows);
  strides[3] = b.getIndexAttr(at.step);
  for (int64_t size : type.getShape().drop_front(4)) {
    offsets.push_back(b.getIndexAttr(0));
    sizes.push_back(b.getIndexAttr(size));
    shape.push_back(size);
  }
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), tensor,
      offsets, sizes, strides);
}

namespace {
/// Lowers one op's plan, or a part of it.
class Visits {
public:
  /// The plan is that of one residue where there is a step.
  Visits(MaskedReductionOpInterface op, const ReductionShapes &shapes,
         Plan ofPart, int64_t step, const VisitOptions &options)
      : op(op), loc(op.getLoc()), builder(op), plan(std::move(ofPart)),
        step(step), shapes(shapes), tables(builder, op, shapes, plan),
        options(options) {}

  /// Computes the results, or slices of their columns, after `before`, the
  /// states of other parts, if there are any.
  SmallVector<Value> visit(const ColumnGroup &columns,
                           SmallVector<Value> outputs,
                           const PartStates *before);
  /// Adds the states of all rows to `states`, as those of part `number`.
  void store(const ColumnGroup &columns, int64_t number, PartStates &states);
  /// The tiles of the first class.
  QueryTiles tilesOf(const ColumnGroup &columns) {
    return QueryTiles(builder, op, shapes, plan.classes.front(), plan, columns,
                      step);
  }

private:
  using BodyFn = function_ref<void(OpBuilder &, ValueRange)>;

  /// Whether the class runs in parts along the keys.
  bool isSplit(const RowClass &cls) const {
    return cls.heavy && (plan.fewBlocks || options.heavySplits > 1);
  }
  /// How many parts these are.
  Value numParts(const RowClass &cls) {
    if (!plan.fewBlocks)
      return IndexMath{builder, loc}.constant(options.heavySplits);
    return emitNumParts(builder, loc, cls, plan, shapes, options.heavySplits);
  }
  SmallVector<Value> visitWhole(const RowClass &cls, const QueryTiles &tiles,
                                ValueRange outputs, bool together,
                                const PartStates *before);
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
  int64_t step;
  const ReductionShapes &shapes;
  RandomTables tables;
  VisitOptions options;
};
} // namespace

/// Parts of heavy rows come first: they write memory of their own, and so may
/// run together with the rows of the first classes, whose results those of
/// later ones replace.
SmallVector<Value> Visits::visit(const ColumnGroup &columns,
                                 SmallVector<Value> outputs,
                                 const PartStates *before) {
  struct Group {
    const RowClass &cls; ///< the first of those that visit the same tiles
    QueryTiles tiles;
    SmallVector<Value> parts = {};
  };
  SmallVector<Group> groups;
  bool isFirst = true, hasParts = false, firstIsWhole = false;
  for (ArrayRef<RowClass> rest = plan.classes; !rest.empty(); isFirst = false) {
    // Only rows of the first class go on from the states of other parts.
    bool goesOn = isFirst && before;
    ArrayRef<RowClass> together = rest.take_front(
        goesOn ? 1 : countTogether(rest, LengthFacts().assuming(plan.assumed)));
    rest = rest.drop_front(together.size());
    Group group = {together.front(), QueryTiles(builder, op, shapes, together,
                                                plan, columns, step)};
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
        isSplit(group.cls)
            ? mergeParts(tiles, group.parts, places)
            : visitWhole(group.cls, tiles, places,
                         hasParts && firstIsWhole && index == 0,
                         &group.cls == plan.classes.begin() ? before : nullptr);
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
  auto report = remark::analysis(
      loc, remark::RemarkOpts::name("row-class").category(DEBUG_TYPE));
  report << remark::metric("full-segments", full)
         << remark::metric("partial-segments", cls.segments.size() - full)
         << remark::metric("tile-lists", cls.draws.size())
         << remark::metric("parts", parts);
  if (cls.hasTable())
    report << remark::metric("table-tiles", cls.table.starts.size());
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
                                      ValueRange outputs, bool together,
                                      const PartStates *before) {
  return forall(tiles.getBounds(builder), outputs, together,
                [&](OpBuilder &b, ValueRange args) {
                  ReductionShapes here = tiles.shapesAt(b, args);
                  QueryTile at = tiles.locate(b, args, here);
                  KeyTileLoops loops(op, here, tables, cls, tiles.getTile(),
                                     tiles.getNumColumns(), plan.tile.keys);
                  Value state = loops.visit(b, at);
                  if (before) {
                    SmallVector<Value> stored = llvm::map_to_vector(
                        before->getTensors(), [&](Value tensor) {
                          return sliceStates(b, loc, tensor, /*part=*/Value(),
                                             args, at, tiles.getTile().queries);
                        });
                    Value others = op.createMergeStored(b, stored, /*at=*/{},
                                                        state.getType());
                    state = op.createMerge(b, state, others);
                  }
                  finish(b, tiles, at, state, args.drop_front(3));
                });
}

void Visits::store(const ColumnGroup &columns, int64_t number,
                   PartStates &states) {
  const RowClass &cls = plan.classes.front();
  QueryTiles tiles = tilesOf(columns);
  report(cls, tiles.getTile(), /*parts=*/1);
  states.setTensors(forall(
      tiles.getBounds(builder), states.getTensors(), /*together=*/false,
      [&](OpBuilder &b, ValueRange args) {
        ReductionShapes here = tiles.shapesAt(b, args);
        QueryTile at = tiles.locate(b, args, here);
        KeyTileLoops loops(op, here, tables, cls, tiles.getTile(),
                           tiles.getNumColumns(), plan.tile.keys);
        Value state = loops.visit(b, at);
        Value part = IndexMath{b, loc}.constant(number);
        SmallVector<Value> slices =
            llvm::map_to_vector(args.drop_front(3), [&](Value tensor) {
              return sliceStates(b, loc, tensor, part, args, at,
                                 tiles.getTile().queries);
            });
        insertInParallel(b, loc, op.createStore(b, state, slices), slices);
      }));
}

/// A part of few rows has few warps, and runs beside others: each takes as much
/// shared memory as its steps have keys.
int64_t Visits::stepKeysOfParts(const QueryTiles &tiles) const {
  constexpr int64_t granule = 16;
  int64_t keys = plan.tile.keys;
  bool areFew =
      plan.fewBlocks || tiles.getTile().queries < plan.slots().queries;
  if (options.heavyKeys == 0 || !areFew)
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
  SmallVector<Value> bounds = tiles.getBounds(builder);
  Value count = numParts(cls);
  bounds.push_back(count);
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
        QueryTile at = tiles.locate(b, args.take_front(3), shapes);
        Value state = loops.visit(b, at, {/*part=*/args[3], count});
        SmallVector<Value> slices;
        for (Value part : args.drop_front(4))
          slices.push_back(sliceTrailing(b, loc, part, args.take_front(4)));
        SmallVector<Value> stored = op.createStore(b, state, slices);
        insertInParallel(b, loc, stored, slices);
      });
}

SmallVector<Value> Visits::mergeParts(const QueryTiles &tiles, ValueRange parts,
                                      ValueRange outputs) {
  return forall(tiles.getBounds(builder), outputs, /*together=*/false,
                [&](OpBuilder &b, ValueRange args) {
                  QueryTile at = tiles.locate(b, args.take_front(3), shapes);
                  Value merged = op.createMergeStored(
                      b, parts, args.take_front(3),
                      op.getStateType(tiles.getTile(), tiles.getNumColumns()));
                  finish(b, tiles, at, merged, args.drop_front(3));
                });
}

namespace {
/// Lowers one op, all parts of its plan.
class ReductionVisits {
public:
  ReductionVisits(MaskedReductionOpInterface op, const VisitOptions &options);

  SmallVector<Value> run();

private:
  SmallVector<Value> visit(const ColumnGroup &columns,
                           SmallVector<Value> outputs);

  MaskedReductionOpInterface op;
  VisitOptions options;
  OpBuilder builder;
  ReductionShapes shapes;
  SmallVector<std::unique_ptr<Visits>> parts;
};
} // namespace

/// A part's plan, each partial segment of which names its pairs: those of the
/// part are not the mask's.
static Plan withPairs(const Part &part, const LengthFacts &facts) {
  Plan plan = planOf(part, facts);
  Pieces pairs = part.pairs;
  for (Piece &piece : pairs)
    endAtLastKey(piece);
  for (RowClass &cls : plan.classes)
    for (Segment &segment : cls.segments)
      if (!segment.full && !segment.where)
        segment.where = pairs;
  return plan;
}

ReductionVisits::ReductionVisits(MaskedReductionOpInterface op,
                                 const VisitOptions &options)
    : op(op), options(options), builder(op), shapes(builder, op) {
  Plan plan = op.getPlan()->getPlan();
  if (plan.parts.empty())
    parts.push_back(
        std::make_unique<Visits>(op, shapes, plan, /*step=*/1, options));
  for (const Part &part : plan.parts)
    parts.push_back(std::make_unique<Visits>(
        op, shapes, withPairs(part, shapes.facts), part.step, options));
}

SmallVector<Value> ReductionVisits::run() {
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

SmallVector<Value> ReductionVisits::visit(const ColumnGroup &columns,
                                          SmallVector<Value> outputs) {
  if (parts.size() == 1)
    return parts.back()->visit(columns, outputs, /*before=*/nullptr);
  IndexMath math{builder, op.getLoc()};
  Value rows = math.constant(0), heads;
  for (std::unique_ptr<Visits> &part : parts) {
    QueryTiles tiles = part->tilesOf(columns);
    if (tiles.isEmpty())
      return outputs;
    rows = math.max(rows, tiles.numWholeRows(builder));
    heads = tiles.getBounds(builder)[1];
  }
  // Rows and element type of a state do not matter here, only its columns do.
  Type state = op.getStateType({/*queries=*/1, /*keys=*/1},
                               parts.back()->tilesOf(columns).getNumColumns());
  PartStates states(builder, op, shapes.batch, heads, rows, parts.size() - 1,
                    state);
  for (size_t number = 0; number + 1 < parts.size(); ++number)
    parts[number]->store(columns, number, states);
  return parts.back()->visit(columns, outputs, &states);
}

static bool hasLayouts(const Plan &plan) {
  auto has = [](const RowClass &cls) { return cls.hasLayouts(); };
  return llvm::any_of(plan.classes, has) ||
         llvm::any_of(plan.parts, [&](const Part &part) {
           return llvm::any_of(part.classes, has);
         });
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
    if (!op.takesParts() && !op.getPlan()->getParts().empty()) {
      op->emitOpError("takes no plan of parts; leave the plan out to have one "
                      "made");
      return WalkResult::interrupt();
    }
    if (op.getPlan()->getPlan().hasPackedHeads() &&
        !(op.takesPackedHeads() && op.getMaskValue().isHeadInvariant())) {
      op->emitOpError("cannot have tiles of several heads, of which its mask "
                      "is not known to be the same; leave the plan out to have "
                      "one made");
      return WalkResult::interrupt();
    }
    bool isEmpty = staticDim(op.getQueryType(), 2) == int64_t(0) ||
                   staticDim(op.getKeyType(), 2) == int64_t(0);
    LengthFacts facts = op.getLengthFacts();
    if (op.getPlan()->getPlan().hasTables() && !isEmpty &&
        (!facts.nq || !facts.nk)) {
      op->emitOpError("has a plan with a table, which is for lengths that are "
                      "known at compile time; write them in the types, or "
                      "leave the plan out to have one made");
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
    op->replaceAllUsesWith(ReductionVisits(op, options).run());
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
