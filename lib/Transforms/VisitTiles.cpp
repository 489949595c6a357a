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
#include "SparseAttn/Mask/Predicate.h"
#include "SparseAttn/Transforms/Passes.h"
#include "Visits.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include <memory>

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
  TileNeeds needs = op.getTileNeeds();
  for (const ColumnGroup &columns :
       cutColumns(needs.valueDim, options.columnsAtOnce(needs))) {
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
  if (shapes.queryLengths)
    outputs = parts.front()->visitMissingRows(columns, std::move(outputs));
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

static LogicalResult checkOptions(Operation *root,
                                  const VisitOptions &options) {
  if (options.heavySplits < 1)
    return root->emitError("heavy-splits must be at least 1");
  if (options.heavyKeys < 0)
    return root->emitError("heavy-keys must be at least 1, or 0 for as many as "
                           "tiles have");
  if (options.valueColumns < 0 || options.valueColumns % 8 != 0)
    return root->emitError("value-columns must be a multiple of 8, or 0 for no "
                           "limit");
  if (options.singleColumns < 0 || options.singleColumns % 8 != 0)
    return root->emitError("single-columns must be a multiple of 8, or 0 for "
                           "as many as value-columns");
  if (options.mergeColumns < 0 || options.mergeColumns % 8 != 0)
    return root->emitError("merge-columns must be a multiple of 8, or 0 for no "
                           "limit");
  return success();
}

/// Whether the op takes plans of the form that its own has.
static LogicalResult checkPlan(MaskedReductionOpInterface op) {
  if (!op.getPlan())
    return op->emitOpError("has no plan; run 'sparse-attn-plan' first");
  Plan plan = op.getPlan()->getPlan();
  if (!op.takesKeyLayouts() && hasLayouts(plan))
    return op->emitOpError("takes contiguous tiles of keys only, and its plan "
                           "has layouts; leave the plan out to have one made");
  if (!op.takesRowLayouts() && hasRowLayouts(plan))
    return op->emitOpError("takes neighbouring rows only, and its plan has "
                           "rows in layouts; leave the plan out to have one "
                           "made");
  if (!op.takesParts() && !plan.parts.empty())
    return op->emitOpError("takes no plan of parts; leave the plan out to have "
                           "one made");
  if (plan.hasPackedHeads() &&
      !(op.takesPackedHeads() && op.getMaskValue().isHeadInvariant()))
    return op->emitOpError("cannot have tiles of several heads, of which its "
                           "mask is not known to be the same; leave the plan "
                           "out to have one made");
  bool isSimple = plan.parts.empty() && !hasLayouts(plan) && !plan.hasTables();
  if (op.needsPlainPlan() && !isSimple)
    return op->emitOpError("has keys in pages, or at positions that are known "
                           "at run time, for which a plan has contiguous tiles "
                           "and no parts; leave the plan out to have one made");
  if (std::optional<int64_t> page = op.getPageSize();
      page && *page % plan.tile.keys != 0)
    return op->emitOpError("has a plan with tiles of ")
           << plan.tile.keys << " keys, which do not divide pages of " << *page
           << "; leave the plan out to have one made";
  if (plan.readsDocuments() && !op.getDataOperand(kDocuments))
    return op->emitOpError(
        "has a plan with tiles within documents, and no data "
        "operand documents; leave the plan out to have one "
        "made");
  if (plan.readsListed() && !op.getDataOperand(kGlobalTokens))
    return op->emitOpError(
        "has a plan with tiles of listed tokens, and no data operand "
        "global_tokens; leave the plan out to have one made");
  bool isEmpty = staticDim(op.getQueryType(), 2) == int64_t(0) ||
                 op.getKnownKeys() == int64_t(0);
  LengthFacts facts = op.getLengthFacts();
  if (plan.hasTables() && !isEmpty && (!facts.nq || !facts.nk))
    return op->emitOpError("has a plan with a table, which is for lengths that "
                           "are known at compile time; write them in the "
                           "types, or leave the plan out to have one made");
  return success();
}

/// Whether the op can be visited at all.
static LogicalResult check(MaskedReductionOpInterface op,
                           const VisitOptions &options) {
  if (failed(checkPlan(op)))
    return failure();
  if (!isa<RankedTensorType>(op.getQuery().getType()))
    return op->emitOpError("on memrefs cannot be tiled; lower it before "
                           "bufferization");
  TileNeeds needs = op.getTileNeeds();
  int64_t columns = needs.valueDim, atOnce = options.columnsAtOnce(needs);
  if (atOnce > 0 && columns > atOnce && columns % 8 != 0)
    return op->emitOpError("has values of ")
           << columns << " columns, which cannot be cut into slices of at most "
           << atOnce
           << ", multiples of 8: pad them with zeros to a multiple of 8";
  return verifyMaskHasCode(op);
}

LogicalResult transforms::visitTiles(Operation *root,
                                     const VisitOptions &options) {
  if (failed(checkOptions(root, options)))
    return failure();
  WalkResult result = root->walk([&](MaskedReductionOpInterface op) {
    if (failed(check(op, options)))
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
    if (failed(visitTiles(getOperation(), {heavySplits, heavyKeys, valueColumns,
                                           singleColumns, mergeColumns})))
      signalPassFailure();
  }
};
} // namespace
