//===- ChooseTile.cpp - Tile sizes for a mask -----------------------------===//

#include "SparseAttn/Plan/ChooseTile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/DebugLog.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

#define DEBUG_TYPE "sparse-attn-plan"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

namespace {
/// The greatest common divisor of all places where a mask changes.
class CommonBlock {
public:
  explicit CommonBlock(const LengthFacts &facts) : facts(facts) {}

  void add(const Piece &piece);
  /// 0 when the mask has no blocks or is not aligned to them.
  int64_t get() const { return isAligned && hasBlocks ? common : 0; }

private:
  void add(const Bound &bound);
  void addPeriod(int64_t period) {
    common = std::gcd(common, period);
    hasBlocks = true;
  }

  const LengthFacts &facts;
  int64_t common = 0;
  bool isAligned = true, hasBlocks = false;
};
} // namespace

void CommonBlock::add(const Bound &bound) {
  isAligned &= bound.block != 1;
  if (bound.block > 1)
    addPeriod(bound.block);
  // An unknown N is taken for a multiple of the block: plans are right for any,
  // and it is the usual case.
  common = std::gcd(common, bound.offset + bound.perKey * facts.nk.value_or(0));
}

void CommonBlock::add(const Piece &piece) {
  for (auto bounds :
       {llvm::ArrayRef<Bound>(piece.rowLower),
        llvm::ArrayRef<Bound>(piece.rowUpper),
        llvm::ArrayRef<Bound>(piece.lower), llvm::ArrayRef<Bound>(piece.upper)})
    for (const Bound &bound : bounds)
      add(bound);
  isAligned &= piece.residues.empty();
  for (const OpaqueLiteral &literal : piece.opaque) {
    if (const RandomBlocks *random = literal.leaf->getRandomBlocks())
      addPeriod(random->block);
    else
      isAligned = false;
  }
}

static int64_t commonBlock(const Mask &mask, const LengthFacts &facts) {
  std::optional<Pieces> pieces = mask.pieces();
  if (!pieces)
    return 0;
  CommonBlock common(facts);
  for (const Piece &piece : *pieces)
    common.add(piece);
  // Query tiles start at position Sk - Sq.
  int64_t shift = facts.nq && facts.nk ? *facts.nk - *facts.nq : 0;
  return std::gcd(common.get(), common.get() == 0 ? 0 : shift);
}

/// True when some piece of the mask is a band that follows the query on both
/// sides: its edges cut tiles of every query tile.
static bool hasWindow(const Mask &mask) {
  std::optional<Pieces> pieces = mask.pieces();
  auto follows = [](const Bound &bound) { return bound.dependsOnQuery(); };
  return pieces && llvm::any_of(*pieces, [&](const Piece &piece) {
           return llvm::any_of(piece.lower, follows) &&
                  llvm::any_of(piece.upper, follows);
         });
}

TileShape plan::chooseCpuTile(const Mask &mask, int64_t headDim,
                              const LengthFacts &facts) {
  bool isWindow = hasWindow(mask);
  TileShape tile = isWindow ? TileShape{32, 32} : TileShape{48, 64};
  int64_t block = commonBlock(mask, facts);
  LDBG() << "tile for a CPU: " << (isWindow ? "window" : "no window")
         << ", blocks of " << block << ", heads of " << headDim;
  for (int64_t queries : {64, 32, 16}) {
    if (block == 0 || block % queries != 0)
      continue;
    tile = {queries, std::gcd<int64_t>(block, 64)};
    break;
  }
  if (headDim > 128)
    tile.keys = std::min<int64_t>(tile.keys, 32);
  if (facts.nq)
    tile.queries = std::min<int64_t>(
        tile.queries, llvm::alignTo(std::max<int64_t>(1, *facts.nq), 16));
  if (facts.nk)
    tile.keys = std::min<int64_t>(
        tile.keys, llvm::alignTo(std::max<int64_t>(1, *facts.nk), 8));
  return tile;
}

int64_t GpuTileNeeds::sharedBytes(TileShape tile) const {
  int64_t keyAndValue = tile.keys * (headDim + valueDim) * elementBytes;
  return stages * keyAndValue + tile.queries * headDim * elementBytes;
}

/// What the longest list of drawn tiles takes of shared memory: indices, in
/// whole rows of banks, as the tiles behind it need.
static int64_t listBytes(const Plan &plan) {
  int64_t longest = 0;
  for (const RowClass &cls : plan.classes)
    if (!cls.draws.empty())
      longest = std::max(longest, cls.maxDrawnTiles(plan.tile) + 1);
  return llvm::alignTo(longest * sizeof(int64_t), 128);
}

/// The largest tile of at most that size which fits: fewer keys first, which
/// cost only more steps of a loop, then fewer queries, for which K and V are
/// read more often.
static TileShape fitSharedMemory(TileShape tile, const GpuTileNeeds &needs,
                                 const Mask &mask, const LengthFacts &facts) {
  bool mayDraw = !mask.pieces();
  auto bytes = [&] {
    return needs.sharedBytes(tile) +
           (mayDraw ? listBytes(makePlan(mask, tile, facts)) : 0);
  };
  auto halve = [](int64_t size) {
    return std::max<int64_t>(16, llvm::alignTo(size / 2, 16));
  };
  while (needs.sharedLimit > 0 && bytes() > needs.sharedLimit) {
    LDBG() << tile.queries << " x " << tile.keys << " takes " << bytes()
           << " bytes of shared memory, more than there are";
    if (tile.keys > 16)
      tile.keys = halve(tile.keys);
    else if (tile.queries > 16)
      tile.queries = halve(tile.queries);
    else
      break;
  }
  return tile;
}

TileShape plan::chooseGpuTile(const Mask &mask, const GpuTileNeeds &needs,
                              const LengthFacts &facts) {
  TileShape tile = {128, 64};
  int64_t block = commonBlock(mask, facts);
  LDBG() << "tile for a GPU: blocks of " << block << ", heads of "
         << needs.headDim << " and " << needs.valueDim << ", "
         << needs.elementBytes << " bytes an element, shared memory of "
         << needs.sharedLimit << " bytes";
  for (int64_t queries : {128, 64, 32, 16}) {
    if (block == 0 || block % queries != 0)
      continue;
    tile = {queries, std::gcd<int64_t>(block, 64)};
    break;
  }
  if (std::max(needs.headDim, needs.valueDim) > 128 || needs.elementBytes > 2) {
    tile.queries = std::min<int64_t>(tile.queries, 64);
    tile.keys = std::min<int64_t>(tile.keys, 32);
  }
  // The parts of f32 operands take registers too: beyond 96 columns a thread's
  // 255 do not hold the sums for 32 keys besides.
  if (std::max(needs.headDim, needs.valueDim) > 96 && needs.elementBytes > 2)
    tile.keys = std::min<int64_t>(tile.keys, 16);
  auto needed = [](int64_t length) {
    return static_cast<int64_t>(
        llvm::alignTo(std::max<int64_t>(1, length), 16));
  };
  if (facts.nq)
    tile.queries = std::min(tile.queries, needed(*facts.nq));
  if (facts.nk)
    tile.keys = std::min(tile.keys, needed(*facts.nk));
  return fitSharedMemory(tile, needs, mask, facts);
}
