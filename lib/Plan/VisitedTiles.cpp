//===- VisitedTiles.cpp - What a kernel visits ----------------------------===//

#include "LinearForm.h"
#include "SparseAttn/Plan/Plan.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

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

Range Segment::usualTiles(int64_t q, const Lengths &n) const {
  return within.holds(OneDocument) ? keyTiles(q, n) : Range();
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

bool Plan::hasTables() const {
  return llvm::any_of(classes,
                      [](const RowClass &cls) { return cls.hasTable(); });
}

static bool anySegment(const Plan &plan,
                       llvm::function_ref<bool(const Segment &)> holds) {
  return llvm::any_of(plan.classes, [&](const RowClass &cls) {
    return llvm::any_of(cls.segments, holds);
  });
}

bool Plan::readsDocuments() const {
  return anySegment(
      *this, [](const Segment &segment) { return segment.within.documents; });
}

bool Plan::readsListed() const {
  return anySegment(
      *this, [](const Segment &segment) { return segment.within.isListed(); });
}

std::string Segment::findProblem() const {
  if (std::string problem = layout.findProblem(); !problem.empty())
    return problem;
  if (!within.isEverything() && !layout.isContiguous())
    return "a segment within documents or listed tokens has contiguous tiles, "
           "and no layout";
  if (within.isListed() && full && !within.isEither)
    return "a tile with a listed token has other rows and keys, too, so that "
           "it is not full";
  if (within.isListed() && where)
    return "which tokens are listed is not known before, so that 'where' does "
           "not tell the pairs";
  return {};
}

bool Plan::isHeadInvariant() const {
  auto isOfHead = [](const Draw &draw) { return draw.random.perHead; };
  return llvm::none_of(classes, [&](const RowClass &cls) {
    return llvm::any_of(cls.draws, isOfHead);
  });
}

int64_t RowClass::codeRows(const TileShape &tile) const {
  if (!layout.isContiguous())
    return layout.tile;
  constexpr int64_t granule = 16;
  for (int64_t rows = granule; rows < tile.queries; rows += granule)
    if (tile.queries % granule == 0 &&
        TileExpr::provablyLE(rowEnd, rowBegin + rows, LengthFacts()))
      return rows;
  return tile.queries;
}

int64_t RowClass::numQueryTiles(const TileShape &tile, const Lengths &n) const {
  if (hasTable())
    return table.numQueryTiles();
  int64_t rows = rowEnd.evaluate(0, n) - rowBegin.evaluate(0, n);
  return rows <= 0 ? 0 : ceilDivide(rows, tileRows(tile));
}

Range RowClass::rowSlots(const Lengths &n) const {
  Range slots = {rowBegin.evaluate(0, n), rowEnd.evaluate(0, n)};
  if (layout.isContiguous())
    return slots;
  return slots.intersect(
      {layout.slotsBelow(n.firstQuery()), layout.slotsBelow(n.nk)});
}

Range RowClass::rowSlots(int64_t q, const TileShape &tile,
                         const Lengths &n) const {
  int64_t size = tileRows(tile);
  int64_t first = rowBegin.evaluate(0, n) + q * size;
  return rowSlots(n).intersect({first, first + size});
}

int64_t RowClass::rowOf(int64_t slot, const Lengths &n) const {
  return layout.isContiguous() ? slot : layout.position(slot) - n.firstQuery();
}

std::optional<int64_t> RowClass::slotOf(int64_t row, const Lengths &n) const {
  std::optional<int64_t> slot =
      layout.isContiguous() ? row : layout.slotAt(row + n.firstQuery());
  if (!slot || !rowSlots(n).contains(*slot))
    return std::nullopt;
  return slot;
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

/// The contiguous tiles of segments, which draws do not visit again.
static llvm::SmallVector<Range> contiguousTiles(const RowClass &cls, int64_t q,
                                                const Lengths &n) {
  llvm::SmallVector<Range> ranges;
  for (const Segment &segment : cls.segments)
    if (segment.layout.isContiguous())
      ranges.push_back(segment.usualTiles(q, n));
  return ranges;
}

bool RowClass::hasLayouts() const {
  return llvm::any_of(segments, [](const Segment &segment) {
    return !segment.layout.isContiguous();
  });
}

llvm::SmallVector<VisitedTile> plan::visitedTiles(const RowClass &cls,
                                                  const TileShape &tile,
                                                  const Lengths &n,
                                                  int64_t head, int64_t q) {
  llvm::SmallVector<VisitedTile> tiles;
  if (cls.hasTable()) {
    for (int64_t key : cls.table.partialOf(q))
      tiles.push_back({key, /*full=*/false});
    for (int64_t key : cls.table.fullOf(q))
      tiles.push_back({key, /*full=*/true});
    return tiles;
  }
  auto append = [&](bool contiguous) {
    for (const Segment &segment : cls.segments) {
      if (segment.layout.isContiguous() != contiguous)
        continue;
      Range range = segment.usualTiles(q, n);
      for (int64_t kt = range.begin; kt < range.end; ++kt)
        tiles.push_back({kt, segment.full, &segment});
    }
  };
  append(/*contiguous=*/true);
  tiles.append(drawnTiles(cls, tile, n, head, q, contiguousTiles(cls, q, n)));
  llvm::sort(tiles, [](const VisitedTile &a, const VisitedTile &b) {
    return std::pair(a.keyTile, a.full) < std::pair(b.keyTile, b.full);
  });
  append(/*contiguous=*/false);
  return tiles;
}

static TileCounts countClassTiles(const Plan &plan, const Lengths &n,
                                  int64_t head) {
  TileCounts counts;
  uint64_t keyTiles = ceilDivide(n.nk, plan.tile.keys);
  for (const RowClass &cls : plan.classes) {
    for (int64_t q = 0; q < cls.table.numQueryTiles(); ++q) {
      uint64_t partial = cls.table.partialOf(q).size(),
               full = cls.table.fullOf(q).size();
      counts.partial += partial;
      counts.full += full;
      counts.empty += keyTiles - std::min(keyTiles, partial + full);
    }
    if (cls.hasTable())
      continue;
    for (int64_t q = 0; q < cls.numQueryTiles(plan.tile, n); ++q) {
      uint64_t contiguous = 0;
      for (const Segment &segment : cls.segments) {
        uint64_t tiles = segment.usualTiles(q, n).size();
        (segment.full ? counts.full : counts.partial) += tiles;
        if (segment.layout.isContiguous())
          contiguous += tiles;
      }
      for (VisitedTile drawn :
           drawnTiles(cls, plan.tile, n, head, q, contiguousTiles(cls, q, n))) {
        ++(drawn.full ? counts.full : counts.partial);
        ++contiguous;
      }
      counts.empty += keyTiles - contiguous;
    }
  }
  return counts;
}

/// The keys in the tiles of a segment that exist.
static uint64_t countKeys(const Layout &layout, Range tiles, int64_t planKeys,
                          int64_t nk) {
  int64_t size = layout.tileSize(planKeys);
  return Range{tiles.begin * size,
               std::min(tiles.end * size, layout.slotsBelow(nk))}
      .size();
}

static uint64_t countPairs(const TileTable &table, int64_t planKeys,
                           int64_t nk) {
  uint64_t pairs = 0;
  for (int64_t q = 0; q < table.numQueryTiles(); ++q) {
    uint64_t keys = 0;
    for (llvm::ArrayRef<int64_t> list : {table.partialOf(q), table.fullOf(q)})
      for (int64_t start : list)
        keys += std::max<int64_t>(0, std::min(planKeys, nk - start));
    pairs += keys * table.rowsOf(q).size();
  }
  return pairs;
}

static uint64_t countClassPairs(const Plan &plan, const Lengths &n,
                                int64_t head) {
  uint64_t pairs = 0;
  for (const RowClass &cls : plan.classes) {
    if (cls.hasTable()) {
      pairs += countPairs(cls.table, plan.tile.keys, n.nk);
      continue;
    }
    for (int64_t q = 0; q < cls.numQueryTiles(plan.tile, n); ++q) {
      uint64_t keys = 0;
      for (const Segment &segment : cls.segments)
        keys += countKeys(segment.layout, segment.usualTiles(q, n),
                          plan.tile.keys, n.nk);
      for (VisitedTile drawn :
           drawnTiles(cls, plan.tile, n, head, q, contiguousTiles(cls, q, n)))
        keys += countKeys({}, {drawn.keyTile, drawn.keyTile + 1},
                          plan.tile.keys, n.nk);
      pairs += keys * cls.rowSlots(q, plan.tile, n).size();
    }
  }
  return pairs;
}

/// Calls `visit` for each plan that the parts of `plan`, or the plan itself,
/// come to at lengths `n`, and how many residues have these lengths.
static void forEachFold(
    const Plan &plan, const Lengths &n,
    llvm::function_ref<void(const Plan &, const Lengths &, uint64_t)> visit) {
  if (plan.parts.empty())
    return visit(plan, n, 1);
  for (const Part &part : plan.parts) {
    Plan folded = planOf(part, {});
    // Lengths of residues differ by one at most.
    std::map<std::pair<int64_t, int64_t>, uint64_t> residues;
    for (int64_t row = 0; row < std::min(part.step, n.nq); ++row) {
      Lengths lengths = foldLengths(n, part.step, row);
      ++residues[{lengths.nq, lengths.nk}];
    }
    for (auto [lengths, count] : residues)
      if (lengths.second > 0)
        visit(folded, {lengths.first, lengths.second}, count);
  }
}

TileCounts plan::countTiles(const Plan &plan, const Lengths &n, int64_t head) {
  TileCounts counts;
  forEachFold(plan, n,
              [&](const Plan &some, const Lengths &lengths, uint64_t times) {
                TileCounts tiles = countClassTiles(some, lengths, head);
                counts.full += times * tiles.full;
                counts.partial += times * tiles.partial;
                counts.empty += times * tiles.empty;
              });
  return counts;
}

uint64_t plan::countVisitedPairs(const Plan &plan, const Lengths &n,
                                 int64_t head) {
  uint64_t pairs = 0;
  forEachFold(plan, n,
              [&](const Plan &some, const Lengths &lengths, uint64_t times) {
                pairs += times * countClassPairs(some, lengths, head);
              });
  return pairs;
}
