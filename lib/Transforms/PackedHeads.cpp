//===- PackedHeads.cpp - Query tiles of several heads ---------------------===//

#include "PackedHeads.h"
#include "EmitTileExpr.h"
#include "FewBlocks.h"
#include "SparseAttn/Plan/Plan.h"
#include "SparseAttn/Target/Target.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// With more rows, tiles of rows are full enough.
static constexpr int64_t kMostRows = 8;

/// The query heads of a key head, where they are known.
static std::optional<int64_t> knownGroup(MaskedReductionOpInterface op) {
  std::optional<int64_t> queryHeads = staticDim(op.getQueryType(), 1);
  std::optional<int64_t> keyHeads = staticDim(op.getKeyType(), 1);
  if (!queryHeads || !keyHeads || *keyHeads == 0)
    return std::nullopt;
  return *queryHeads / *keyHeads;
}

/// A processor computes what a tile has: as many heads as divide a group, so
/// that all its tiles are full.
static int64_t headsOnCpu(std::optional<int64_t> group) {
  constexpr int64_t most = target::kFewRows, usual = 4;
  if (!group)
    return usual;
  int64_t heads = std::min(*group, most);
  while (*group % heads != 0)
    --heads;
  return std::max(heads, std::min(*group, usual));
}

/// A GPU computes 16 rows at a time.
static int64_t headsOnGpu(std::optional<int64_t> group) {
  constexpr int64_t rows = 16;
  return group == 1 ? 0 : rows;
}

/// Whether a packed tile reads more keys than the tiles of all heads of a group
/// together: rows of many tokens are no lists in such a plan, whose ranges may
/// be too many. Says so.
static bool readsMore(MaskedReductionOpInterface op, const Plan &packed,
                      const Plan &general, int64_t group) {
  if (!general.parts.empty() || general.hasTables())
    return false;
  constexpr int64_t usualKeys = 4096;
  mask::Lengths n = {1, op.getLengthFacts().nk.value_or(usualKeys)};
  int64_t together = keysOfLastTile(packed.classes.front(), packed.tile, n);
  int64_t each = keysOfLastTile(general.classes.front(), general.tile, n);
  if (together <= group * each)
    return false;
  op->emitRemark() << "has no tiles of several heads for few query rows: of "
                   << n.nk << " keys one would read " << together
                   << ", as the mask has rows of too many kinds for a plan of "
                      "such tiles, and a tile of each of the heads reads "
                   << each;
  return true;
}

std::optional<Plan> transforms::packHeads(MaskedReductionOpInterface op,
                                          const Plan &general,
                                          const TileChoice &tiles) {
  if (tiles.queries > 0 || general.hasPackedHeads() ||
      !op.getOrigin().empty() || !op.takesPackedHeads() ||
      !op.getMaskValue().isHeadInvariant())
    return std::nullopt;
  std::optional<int64_t> group = knownGroup(op);
  int64_t heads = tiles.isForGpu() ? headsOnGpu(group) : headsOnCpu(group);
  if (heads == 0)
    return std::nullopt;
  Plan plan =
      makePlan(op.getMaskValue(), {1, general.tile.keys}, op.getLengthFacts(),
               /*losses=*/nullptr, tiles.forms(op).layouts);
  plan.heads = heads;
  bool draws = llvm::any_of(
      plan.classes, [](const RowClass &cls) { return !cls.draws.empty(); });
  if (draws || readsMore(op, plan, general, group.value_or(heads)))
    return std::nullopt;
  return plan;
}

Value transforms::emitPackingPays(OpBuilder &b, Location loc,
                                  const ReductionShapes &shapes) {
  IndexMath math{b, loc};
  auto isAtMost = [&](Value x, Value y) {
    return math.compare(arith::CmpIPredicate::sle, x, y);
  };
  Value rows =
      b.createOrFold<arith::MulIOp>(loc, shapes.numQueries, shapes.keyHeads);
  Value fewer = isAtMost(rows, shapes.queryHeads);
  Value areFew = isAtMost(shapes.numQueries, math.constant(kMostRows));
  return b.createOrFold<arith::AndIOp>(loc, fewer, areFew);
}

bool transforms::packingPays(MaskedReductionOpInterface op) {
  std::optional<int64_t> rows = staticDim(op.getQueryType(), 2);
  std::optional<int64_t> group = knownGroup(op);
  return rows && group && *rows <= std::min(*group, kMostRows);
}
