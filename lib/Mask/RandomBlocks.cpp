//===- RandomBlocks.cpp - Stateless random key blocks ---------------------===//

#include "Integer.h"
#include "SparseAttn/Mask/Mask.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using llvm::SmallVector;

uint64_t mask::splitmix64(uint64_t x) {
  uint64_t z = x + 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

/// E_I: the key blocks that row block `rowBlock` never draws.
static IntervalSet excludedBlocks(std::optional<int64_t> windowRadius,
                                  int64_t numBlocks, int64_t rowBlock) {
  if (!windowRadius)
    return {};
  int64_t radius = std::clamp<int64_t>(*windowRadius, -1, numBlocks);
  Range window{rowBlock - radius, rowBlock + radius + 1};
  return IntervalSet::fromRanges(
      {{0, 1}, {numBlocks - 1, numBlocks}, window.intersect({0, numBlocks})});
}

SmallVector<int64_t> mask::drawRandomBlocks(const Mask::RandomOptions &options,
                                            int64_t n, int64_t head,
                                            int64_t rowBlock) {
  SmallVector<int64_t> drawn;
  int64_t numBlocks = n / options.block + (n % options.block != 0);
  if (rowBlock < 0 || rowBlock >= numBlocks)
    return drawn;
  if (options.bigBirdWindowRadius &&
      (rowBlock == 0 || rowBlock == numBlocks - 1))
    return drawn;

  IntervalSet excluded =
      excludedBlocks(options.bigBirdWindowRadius, numBlocks, rowBlock);
  // Sorted and disjoint: what may not be drawn, or no more.
  SmallVector<Range> taken(excluded.ranges());
  uint64_t available = numBlocks - excluded.size();
  uint64_t key = splitmix64(options.seed);
  key = splitmix64(key ^ uint64_t(options.perHead ? head : 0));
  key = splitmix64(key ^ uint64_t(rowBlock));

  for (int64_t t = 0; t < options.blocksPerRow && available; ++t) {
    uint64_t u = splitmix64(key ^ uint64_t(t)) >> 32;
    int64_t pick = (u * available--) >> 32;
    // The pick-th smallest free block: each taken one at or below it moves it.
    auto *place = taken.begin();
    for (; place != taken.end() && place->begin <= pick; ++place)
      pick += place->size();
    taken.insert(place, Range{pick, pick + 1});
    drawn.push_back(pick);
  }
  return drawn;
}

namespace {

class Random : public MaskNode {
public:
  explicit Random(const RandomBlocks &options) : options(options) {}

  bool contains(const Lengths &n, int64_t head, int64_t i,
                int64_t j) const override {
    int64_t rowBlock = floorDiv(i, options.block);
    return 0 <= j && j < n.nk &&
           llvm::is_contained(drawRandomBlocks(options, n.nk, head, rowBlock),
                              j / options.block);
  }

  IntervalSet liveKeys(const Lengths &n, int64_t head, int64_t i,
                       Range keys) const override {
    SmallVector<Range> ranges;
    int64_t b = options.block, rowBlock = floorDiv(i, b);
    for (int64_t block : drawRandomBlocks(options, n.nk, head, rowBlock)) {
      Range drawn = Range{block * b, (block + 1) * b}.intersect(keys);
      if (!drawn.empty())
        ranges.push_back(drawn);
    }
    return IntervalSet::fromRanges(std::move(ranges));
  }

  std::optional<TileState> tileState(const Lengths &n, int64_t head, Range rows,
                                     Range keys) const override {
    bool anyLive = false, allLive = true;
    for (int64_t i = rows.begin; i < rows.end && (!anyLive || allLive);
         i = (floorDiv(i, options.block) + 1) * options.block) {
      IntervalSet live = liveKeys(n, head, i, keys);
      anyLive |= !live.empty();
      allLive &= live.covers(keys);
    }
    return !anyLive  ? TileState::Empty
           : allLive ? TileState::Full
                     : TileState::Partial;
  }

  int64_t getRowGranularity() const override { return options.block; }
  const RandomBlocks *getRandomBlocks() const override { return &options; }
  bool isHeadInvariant() const override { return !options.perHead; }

  void print(llvm::raw_ostream &os) const override {
    os << "random(block=" << options.block
       << ", blocks_per_row=" << options.blocksPerRow
       << ", seed=" << options.seed;
    if (!options.perHead)
      os << ", per_head=false";
    if (options.bigBirdWindowRadius)
      os << ", bigbird_window_radius=" << *options.bigBirdWindowRadius;
    os << ')';
  }

private:
  RandomBlocks options;
};

} // namespace

Mask Mask::random(const RandomOptions &options) {
  RandomOptions clamped = options;
  clamped.block = clampPeriod(options.block);
  return Mask(std::make_shared<Random>(clamped));
}
