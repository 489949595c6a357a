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
  /// That of the places where its blocks of keys begin and end, whatever else
  /// it has; 0 when it has none.
  int64_t ofKeys() const { return keyBlock; }

private:
  void add(const Bound &bound);
  void addPeriod(int64_t period) {
    common = std::gcd(common, period);
    hasBlocks = true;
  }

  const LengthFacts &facts;
  int64_t common = 0, keyBlock = 0;
  bool isAligned = true, hasBlocks = false;
};
} // namespace

void CommonBlock::add(const Bound &bound) {
  isAligned &= bound.block != 1;
  if (bound.block > 1)
    addPeriod(bound.block);
  // An unknown N is taken for a multiple of the block: plans are right for any,
  // and it is the usual case.
  int64_t place = bound.offset + bound.perKey * facts.nk.value_or(0);
  common = std::gcd(common, place);
  if (bound.block > 1)
    keyBlock = std::gcd(std::gcd(keyBlock, bound.block), place);
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

namespace {
/// The sizes of blocks that whole tiles may be made of: `common` for queries
/// and keys, and `ofKeys` for keys alone; 0 where there is none.
struct Blocks {
  int64_t common = 0, ofKeys = 0;
};
} // namespace

static Blocks findBlocks(const Mask &mask, const LengthFacts &facts) {
  std::optional<Pieces> pieces = mask.pieces();
  if (!pieces)
    return {};
  dropKnownLeaves(*pieces, facts.assumed.keysMultiple);
  pieces = expandSets(*pieces, /*maxPieces=*/SIZE_MAX);
  CommonBlock common(facts);
  for (const Piece &piece : *pieces)
    common.add(piece);
  // Query tiles start at position Sk - Sq.
  int64_t shift = facts.nq && facts.nk ? *facts.nk - *facts.nq : 0;
  return {std::gcd(common.get(), common.get() == 0 ? 0 : shift),
          common.ofKeys()};
}

/// The most positions between bounds that follow the query, or between ones
/// that do not, among which are the ends of the sequence; nullopt where no such
/// pair of them has a known distance.
static std::optional<int64_t> widthBetween(llvm::ArrayRef<Bound> lowers,
                                           llvm::ArrayRef<Bound> uppers,
                                           bool followsQuery) {
  Bound first = Bound::constant(0), end = Bound::fromEnd(0);
  std::optional<int64_t> least;
  for (const Bound &low :
       llvm::concat<const Bound>(lowers, llvm::ArrayRef(first)))
    for (const Bound &high :
         llvm::concat<const Bound>(uppers, llvm::ArrayRef(end))) {
      if (low.dependsOnQuery() != followsQuery ||
          high.dependsOnQuery() != followsQuery || low.perKey != high.perKey)
        continue;
      // A bound by blocks lies less than a block below the diagonal.
      int64_t below = std::max<int64_t>(low.block, 1) - 1;
      int64_t width = high.offset - low.offset + below;
      least = std::min(width, least.value_or(width));
    }
  return least;
}

namespace {
enum class Windows { None, Narrow, Wide };
} // namespace

/// Whether some piece of the mask is a band that follows the query on both
/// sides: its edges cut tiles of every query tile. Windows are narrow where all
/// of them have no more than so many keys, and what else there is has no more
/// rows or no more columns.
static Windows findWindows(const Mask &mask, int64_t narrowKeys) {
  std::optional<Pieces> pieces = mask.pieces();
  auto follows = [](const Bound &bound) { return bound.dependsOnQuery(); };
  auto isWindow = [&](const Piece &piece) {
    return llvm::any_of(piece.lower, follows) &&
           llvm::any_of(piece.upper, follows);
  };
  auto isFew = [&](std::optional<int64_t> width) {
    return width && *width <= narrowKeys;
  };
  auto isNarrow = [&](const Piece &piece) {
    return isFew(widthBetween(piece.lower, piece.upper, isWindow(piece))) ||
           isFew(widthBetween(piece.rowLower, piece.rowUpper,
                              /*followsQuery=*/false)) ||
           llvm::any_of(piece.sets, [&](const PositionSet &set) {
             return isFew(set.positions->size());
           });
  };
  if (!pieces || llvm::none_of(*pieces, isWindow))
    return Windows::None;
  return llvm::all_of(*pieces, isNarrow) ? Windows::Narrow : Windows::Wide;
}

namespace {
/// A tile, and those that come before the largest ones of the rules.
struct StartTile {
  TileShape tile;
  llvm::ArrayRef<target::LargestTile> largest = {};
};
} // namespace

/// The tile before anything has to fit, of a mask whose blocks have that size,
/// or 0.
static StartTile startTile(const Mask &mask, const target::TileRules &rules,
                           int64_t block) {
  Windows windows = findWindows(mask, rules.narrowKeys);
  LDBG() << (windows == Windows::None     ? "no window"
             : windows == Windows::Narrow ? "narrow windows"
                                          : "windows")
         << ", blocks of " << block;
  for (int64_t queries = rules.block.queries; block != 0 && queries >= 16;
       queries /= 2)
    if (block % queries == 0)
      return {{queries, std::gcd(block, rules.block.keys)}};
  const target::TileSize &size = windows == Windows::None     ? rules.usual
                                 : windows == Windows::Narrow ? rules.narrow
                                                              : rules.window;
  StartTile start = {{size.queries, size.keys}};
  if (windows == Windows::Narrow)
    start.largest = rules.largestNarrow;
  return start;
}

/// The most keys of a tile, a multiple of `granule`, that divide the block, if
/// there is one. A long block has so many tiles that a partial one at its end
/// costs less than smaller ones everywhere.
static int64_t dividing(int64_t block, int64_t keys, int64_t granule) {
  constexpr int64_t longBlock = 16;
  while (block < longBlock * keys && block % keys != 0 && keys > granule)
    keys -= granule;
  return keys;
}

int64_t TileMemory::sharedBytes(TileShape tile) const {
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
static TileShape fitSharedMemory(TileShape tile, int64_t block,
                                 const TileMemory &memory, const Mask &mask,
                                 const LengthFacts &facts) {
  bool mayDraw = !mask.pieces();
  auto bytes = [&] {
    return memory.sharedBytes(tile) +
           (mayDraw ? listBytes(makePlan(mask, tile, facts)) : 0);
  };
  while (memory.sharedLimit > 0 && bytes() > memory.sharedLimit) {
    LDBG() << tile.queries << " x " << tile.keys << " takes " << bytes()
           << " bytes of shared memory, more than there are";
    if (tile.keys > 16)
      tile.keys = dividing(block, llvm::alignDown(tile.keys - 1, 16), 16);
    else if (tile.queries > 16)
      tile.queries = llvm::alignTo(tile.queries / 2, 16);
    else
      break;
  }
  return tile;
}

TileShape plan::chooseTile(const Mask &mask, const target::TileRules &rules,
                           const TileMemory &memory, const LengthFacts &facts) {
  auto [block, blockOfKeys] = findBlocks(mask, facts);
  auto [tile, narrow] = startTile(mask, rules, block);
  // A block that 16 queries do not divide is no matter.
  if (block % tile.keys != 0)
    block = 0;
  int64_t widest = std::max(memory.headDim, memory.valueDim);
  LDBG() << tile.queries << " x " << tile.keys << " for heads of " << widest
         << ", " << memory.elementBytes
         << " bytes an element, shared memory of " << memory.sharedLimit
         << " bytes";
  for (const target::LargestTile &largest :
       llvm::concat<const target::LargestTile>(narrow, rules.largest)) {
    if (widest > largest.headDim || memory.elementBytes > largest.elementBytes)
      continue;
    tile.queries = std::min(tile.queries, largest.most.queries);
    tile.keys = std::min(tile.keys, largest.most.keys);
    break;
  }
  tile.keys = dividing(block, tile.keys, rules.granule.keys);
  // Key tiles end where blocks beside a diagonal do, if that keeps at least
  // half of their keys.
  if (int64_t keys = dividing(blockOfKeys, tile.keys, rules.granule.keys);
      blockOfKeys % keys == 0 && 2 * keys >= tile.keys)
    tile.keys = keys;
  auto limit = [](int64_t size, std::optional<int64_t> length,
                  int64_t granule) {
    if (!length)
      return size;
    return std::min<int64_t>(
        size, llvm::alignTo(std::max<int64_t>(1, *length), granule));
  };
  tile.queries = limit(tile.queries, facts.nq, rules.granule.queries);
  tile.keys = limit(tile.keys, facts.nk, rules.granule.keys);
  return fitSharedMemory(tile, block, memory, mask, facts);
}
