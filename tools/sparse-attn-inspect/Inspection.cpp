//===- Inspection.cpp - What is to be known of an attention op ------------===//

#include "Inspection.h"
#include "SparseAttn/Inspect/LeastWaste.h"
#include "SparseAttn/Plan/ComputedPairs.h"
#include "SparseAttn/Plan/TablePlan.h"
#include "SparseAttn/Support/Entry.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::inspect_tool;
using namespace mlir::sparse_attn::inspection;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::proof;
using namespace mlir::sparse_attn::support;
using llvm::createStringError;

/// Up to this length reach takes no time to speak of and is computed unasked.
constexpr int64_t kMaxUnaskedReach = 16384;

llvm::Expected<SmallVector<AttentionOp>>
inspect_tool::findAttentions(ModuleOp module, StringRef entry) {
  SmallVector<FunctionOpInterface> functions;
  module.walk([&](FunctionOpInterface func) { functions.push_back(func); });
  if (!entry.empty()) {
    llvm::Expected<FunctionOpInterface> named = findByName(functions, entry);
    if (!named)
      return named.takeError();
    functions = {*named};
  }
  SmallVector<AttentionOp> attentions;
  for (FunctionOpInterface func : functions)
    func.walk([&](AttentionOp op) { attentions.push_back(op); });
  if (attentions.empty())
    return createStringError("no sparse_attn.attention in " +
                             (entry.empty() ? "any function" : "@" + entry));
  return attentions;
}

/// The compiler knows no other lengths than those of the types.
static LengthFacts getFacts(AttentionOp op) {
  LengthFacts facts;
  facts.nq = op.getStaticNumQueries();
  facts.nk = op.getStaticNumKeys();
  return facts;
}

static std::string textOf(const Plan &plan) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  printPlan(plan, stream);
  return text;
}

/// Nothing is known of why somebody else's plan is what it is.
static SmallVector<PlanLoss> findLosses(AttentionOp op, const Plan &plan) {
  for (KeyLayouts keys :
       {KeyLayouts::Contiguous, KeyLayouts::Any, KeyLayouts::InKernels})
    for (RowLayouts rows : {RowLayouts::Contiguous, RowLayouts::Any}) {
      SmallVector<PlanLoss> losses;
      Plan own = makePlan(op.getMaskValue(), plan.tile, getFacts(op), &losses,
                          keys, rows);
      if (textOf(own) != textOf(plan))
        continue;
      // Where a table would be too long, they say so.
      SmallVector<PlanLoss> withTable = losses;
      if (!makeTablePlan(op.getMaskValue(), own, getFacts(op), withTable))
        losses = withTable;
      return losses;
    }
  return {};
}

/// Sums `count(head)` over all heads; one stands for all where `sameForAll`.
template <typename Count>
static uint64_t sumOverHeads(int64_t numHeads, bool sameForAll, Count count) {
  if (sameForAll)
    return numHeads * count(0);
  uint64_t sum = 0;
  for (int64_t head = 0; head < numHeads; ++head)
    sum += count(head);
  return sum;
}

static void countTilesOfAllHeads(Inspection &result, const WarpRows &warps) {
  bool sameForAll = result.plan.isHeadInvariant();
  int64_t counted = sameForAll ? 1 : result.shape.queryHeads;
  for (int64_t head = 0; head < counted; ++head) {
    TileCounts ofHead = countTiles(result.plan, result.lengths(), head);
    uint64_t times = sameForAll ? result.shape.queryHeads : 1;
    result.tiles.full += times * ofHead.full;
    result.tiles.partial += times * ofHead.partial;
    result.tiles.empty += times * ofHead.empty;
  }
  auto count = [&](Slots slots) {
    return countComputedPairs(
        result.mask, result.plan, result.lengths(),
        {result.shape.queryHeads, result.shape.keyHeads},
        [&](int64_t rows) { return warps.lookup(rows); }, slots);
  };
  result.visitedPairs = count(Slots::There);
  result.computedPairs = count(Slots::All);
}

Picture Inspection::picture(int64_t maxCells) const {
  Picture picture = makePicture(mask, lengths(), head, maxCells);
  addParts(picture, plan);
  return picture;
}

static void computeFacts(Inspection &result, AttentionOp op,
                         const WarpRows &warps,
                         const InspectionOptions &options) {
  const AttentionShape &shape = result.shape;
  countTilesOfAllHeads(result, warps);
  uint64_t livePairs = sumOverHeads(
      shape.queryHeads, result.mask.isHeadInvariant(), [&](int64_t head) {
        return countLivePairs(result.mask, result.lengths(), head);
      });
  result.rowsTogether = result.plan.tile.queries;
  if (int64_t rows = warps.lookup(result.rowsTogether))
    result.rowsTogether = rows;
  result.leastPairs = sumOverHeads(
      shape.queryHeads, result.mask.isHeadInvariant(), [&](int64_t head) {
        return countPairsOfNeighbours(result.mask, result.lengths(), head,
                                      result.rowsTogether);
      });
  result.cost = estimateCost(
      shape, op.getQueryType().getElementTypeBitWidth() / 8, livePairs);
  if (options.prove)
    result.proof =
        provePlan(result.mask, result.plan, getFacts(op), shape.queryHeads);
  if (shape.queries == shape.keys &&
      (options.layers || shape.keys <= kMaxUnaskedReach))
    result.reach = computeReach(result.mask, shape.keys, shape.queryHeads);
}

llvm::Expected<Inspection>
inspect_tool::inspect(AttentionOp op, const WarpRows &warps,
                      const InspectionOptions &options,
                      ShapeBindings &bindings) {
  std::string entry = getPath(op->getParentOfType<FunctionOpInterface>());
  if (!op.getOrigin().empty())
    return createStringError("the attention in @" + entry +
                             " is a tile of a larger one, whose place is known "
                             "at run time only; inspect it before tiling");
  llvm::Expected<AttentionShape> shape = resolveShape(op, entry, bindings);
  if (!shape)
    return shape.takeError();
  if (options.head >= shape->queryHeads)
    return createStringError(
        "--head=" + Twine(options.head) + ": the attention in @" + entry +
        " has " + Twine(shape->queryHeads) + " query heads, numbered from 0");

  Inspection result(op.getMaskValue());
  result.entry = entry;
  if (auto location = op.getLoc()->findInstanceOf<FileLineColLoc>())
    result.line = location.getLine();
  llvm::raw_string_ostream(result.maskText) << op.getMask();
  llvm::raw_string_ostream(result.elementType)
      << op.getQueryType().getElementType();
  result.shape = *shape;
  result.plan = op.getPlan()->getPlan();
  result.losses = findLosses(op, result.plan);
  result.layers = options.layers;
  result.head = options.head;
  computeFacts(result, op, warps, options);
  return result;
}
