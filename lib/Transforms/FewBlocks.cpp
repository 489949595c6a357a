//===- FewBlocks.cpp - Parts of launches of few blocks --------------------===//

#include "FewBlocks.h"
#include "EmitTileExpr.h"
#include "SparseAttn/Target/Target.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;
using namespace mlir::sparse_attn::transforms;

/// A multiprocessor has four schedulers, each of which is to have a warp.
static constexpr int64_t kBusyWarps = 4;

/// The rows of a warp.
static constexpr int64_t kWarpRows = 16;

/// Of heads of 64 in 16 bits a part of so many keys reads 64 KiB, and moves 8
/// KiB to be merged.
static constexpr int64_t kLeastPartKeys = 256;

/// With so many parts, decoding 8192 keys with 8 heads of keys is bound by
/// memory on A100 and H100, by bench/gpu/predict.py.
static constexpr int64_t kMostParts = 32;

static Value floorDiv(const IndexMath &math, Value x, Value divisor) {
  return math.b.createOrFold<arith::FloorDivSIOp>(math.loc, x, divisor);
}

static Value product(const IndexMath &math, Value x, Value y) {
  return math.b.createOrFold<arith::MulIOp>(math.loc, x, y);
}

Value transforms::emitRoomForParts(OpBuilder &b, Location loc,
                                   Value multiprocessors, const Plan &plan,
                                   const ReductionShapes &shapes) {
  IndexMath math{b, loc};
  int64_t warps = std::max<int64_t>(1, plan.slots().queries / kWarpRows);
  int64_t blocks = std::max<int64_t>(1, kBusyWarps / warps);
  Value device = math.mul(multiprocessors, blocks);
  Value heads = shapes.queryHeads;
  if (plan.hasPackedHeads())
    heads = product(math, shapes.keyHeads,
                    math.ceilDiv(shapes.headsOfGroup(b, loc), plan.heads));
  Value tiles = product(math, product(math, shapes.batch, heads),
                        math.ceilDiv(shapes.numQueries, plan.tile.queries));
  return floorDiv(math, device, math.max(tiles, math.constant(1)));
}

int64_t transforms::keysOfLastTile(const RowClass &cls, TileShape tile,
                                   const mask::Lengths &n) {
  int64_t last = std::max<int64_t>(cls.numQueryTiles(tile, n) - 1, 0);
  int64_t keys = 0;
  for (const Segment &segment : cls.segments)
    keys +=
        segment.keyTiles(last, n).size() * segment.layout.tileSize(tile.keys);
  if (!cls.draws.empty())
    keys += cls.maxDrawnTiles(tile) * tile.keys;
  return keys;
}

/// So many at any length, as of a window; nothing where they grow with it.
static std::optional<int64_t> mostKeys(const RowClass &cls, TileShape tile) {
  constexpr int64_t someLength = int64_t(1) << 20;
  int64_t some = keysOfLastTile(cls, tile, {tile.queries, someLength});
  int64_t more = keysOfLastTile(cls, tile, {tile.queries, 2 * someLength});
  return some == more ? std::optional(some) : std::nullopt;
}

Value transforms::emitUsefulParts(OpBuilder &b, Location loc,
                                  const RowClass &cls, TileShape tile,
                                  const ReductionShapes &shapes) {
  IndexMath math{b, loc};
  Value keys = shapes.numKeys;
  if (std::optional<int64_t> most = mostKeys(cls, tile))
    keys = math.min(keys, math.constant(*most));
  return math.floorDiv(keys, kLeastPartKeys);
}

Value transforms::emitNumParts(OpBuilder &b, Location loc, const RowClass &cls,
                               const Plan &plan,
                               const ReductionShapes &shapes) {
  constexpr int64_t some = target::kMergedAtOnce / target::kMergedFewer;
  IndexMath math{b, loc};
  Value device = SmCountOp::create(b, loc);
  Value parts = math.min(emitRoomForParts(b, loc, device, plan, shapes),
                         emitUsefulParts(b, loc, cls, plan.tile, shapes));
  parts = math.min(parts, math.constant(kMostParts));
  Value multiple = math.mul(math.floorDiv(parts, some), some);
  parts = math.max(multiple, math.min(parts, math.constant(some - 1)));
  return LaunchArgumentOp::create(b, loc, math.max(parts, math.constant(1)));
}
