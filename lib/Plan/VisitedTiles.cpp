//===- VisitedTiles.cpp - What a kernel visits ----------------------------===//

#include "LinearForm.h"
#include "SparseAttn/Plan/Plan.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

static int64_t ceilDivide(int64_t a, int64_t b) { return -floorDivide(-a, b); }

template <typename Part>
static Range keyTilesOf(const Part &part, int64_t q, const Lengths &n) {
  if (part.when.evaluate(q, n) <= 0)
    return {0, 0};
  return {part.begin.evaluate(q, n), part.end.evaluate(q, n)};
}

Range Segment::keyTiles(int64_t q, const Lengths &n) const {
  return keyTilesOf(*this, q, n);
}

Range Draw::keyTiles(int64_t q, const Lengths &n) const {
  return keyTilesOf(*this, q, n);
}

int64_t RowClass::maxDrawnTiles(const TileShape &tile) const {
  int64_t tiles = 0;
  for (const Draw &draw : draws) {
    // Rows of a tile touch at most (Bm - 2) / b + 2 row blocks; a key block
    // touches at most (b - 2) / Bn + 2 key tiles.
    int64_t block = draw.random.block;
    tiles += ((tile.queries + block - 2) / block + 1) *
             draw.random.blocksPerRow *
             ((block + tile.keys - 2) / tile.keys + 1);
  }
  return tiles;
}

int64_t RowClass::numQueryTiles(const TileShape &tile, const Lengths &n) const {
  int64_t rows = rowEnd.evaluate(0, n) - rowBegin.evaluate(0, n);
  return rows <= 0 ? 0 : ceilDivide(rows, tile.queries);
}

/// The key tiles that the draws of `cls` add to its segments, which are given
/// as tile ranges; sorted.
static llvm::SmallVector<VisitedTile>
drawnTiles(const RowClass &cls, const TileShape &tile, const Lengths &n,
           int64_t head, int64_t q, llvm::ArrayRef<Range> visited) {
  llvm::SmallVector<VisitedTile> tiles;
  int64_t firstRow = cls.rowBegin.evaluate(q, n) + q * tile.queries;
  int64_t endRow =
      std::min({firstRow + tile.queries, n.nq, cls.rowEnd.evaluate(q, n)});
  firstRow = std::max<int64_t>(firstRow, 0);
  if (endRow <= firstRow)
    return tiles;
  for (const Draw &draw : cls.draws) {
    Range limit = draw.keyTiles(q, n);
    if (limit.empty())
      continue;
    int64_t block = draw.random.block;
    int64_t firstBlock = floorDivide(firstRow + n.firstQuery(), block);
    int64_t lastBlock = floorDivide(endRow - 1 + n.firstQuery(), block);
    for (int64_t rowBlock = firstBlock; rowBlock <= lastBlock; ++rowBlock) {
      for (int64_t drawn :
           drawRandomBlocks(draw.random, n.nk, head, rowBlock)) {
        Range keys = {drawn * block, std::min((drawn + 1) * block, n.nk)};
        Range touched = {keys.begin / tile.keys,
                         ceilDivide(keys.end, tile.keys)};
        touched = touched.intersect(limit);
        for (int64_t kt = touched.begin; kt < touched.end; ++kt)
          if (llvm::none_of(visited,
                            [&](Range range) { return range.contains(kt); }))
            tiles.push_back({kt, draw.full});
      }
    }
  }
  // The full one of two draws of a tile stays.
  llvm::sort(tiles, [](const VisitedTile &a, const VisitedTile &b) {
    return std::pair(a.keyTile, !a.full) < std::pair(b.keyTile, !b.full);
  });
  tiles.erase(llvm::unique(tiles,
                           [](const VisitedTile &a, const VisitedTile &b) {
                             return a.keyTile == b.keyTile;
                           }),
              tiles.end());
  return tiles;
}

static llvm::SmallVector<Range> segmentTiles(const RowClass &cls, int64_t q,
                                             const Lengths &n) {
  llvm::SmallVector<Range> ranges;
  for (const Segment &segment : cls.segments)
    ranges.push_back(segment.keyTiles(q, n));
  return ranges;
}

llvm::SmallVector<VisitedTile> plan::visitedTiles(const RowClass &cls,
                                                  const TileShape &tile,
                                                  const Lengths &n,
                                                  int64_t head, int64_t q) {
  llvm::SmallVector<Range> ranges = segmentTiles(cls, q, n);
  llvm::SmallVector<VisitedTile> tiles;
  for (auto [segment, range] : llvm::zip_equal(cls.segments, ranges))
    for (int64_t kt = range.begin; kt < range.end; ++kt)
      tiles.push_back({kt, segment.full});
  tiles.append(drawnTiles(cls, tile, n, head, q, ranges));
  llvm::sort(tiles, [](const VisitedTile &a, const VisitedTile &b) {
    return std::pair(a.keyTile, a.full) < std::pair(b.keyTile, b.full);
  });
  return tiles;
}

TileCounts plan::countTiles(const Plan &plan, const Lengths &n, int64_t head) {
  TileCounts counts;
  uint64_t keyTiles = ceilDivide(n.nk, plan.tile.keys);
  uint64_t total = 0;
  for (const RowClass &cls : plan.classes) {
    int64_t queryTiles = cls.numQueryTiles(plan.tile, n);
    total += queryTiles * keyTiles;
    for (int64_t q = 0; q < queryTiles; ++q) {
      llvm::SmallVector<Range> ranges = segmentTiles(cls, q, n);
      for (auto [segment, range] : llvm::zip_equal(cls.segments, ranges))
        (segment.full ? counts.full : counts.partial) += range.size();
      for (VisitedTile drawn : drawnTiles(cls, plan.tile, n, head, q, ranges))
        ++(drawn.full ? counts.full : counts.partial);
    }
  }
  counts.empty = total - counts.full - counts.partial;
  return counts;
}
