//===- Grids.cpp - Classes in one grid, and their query tiles -------------===//

#include "SparseAttn/Plan/Grids.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::mask;
using namespace mlir::sparse_attn::plan;

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
           x.full == y.full && x.where == y.where && x.layout == y.layout &&
           x.within == y.within;
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

size_t plan::countTogether(llvm::ArrayRef<RowClass> classes,
                           const LengthFacts &facts) {
  size_t count = 1;
  while (count < classes.size() &&
         visitTheSame(classes[count - 1], classes[count], facts))
    ++count;
  return count;
}

QueryTile plan::locateQueryTile(const Plan &plan, const RowClass &cls,
                                const Lengths &n, int64_t rows, int64_t q,
                                int64_t begin) {
  QueryTile at = {q, begin, rows, {}};
  if (cls.hasTable()) {
    at.there = {0, cls.table.rowsOf(q).size()};
    return at;
  }
  at.there = cls.rowSlots(n).intersect({begin, begin + rows});
  at.there = {at.there.begin - begin, std::max(at.there.end, begin) - begin};
  if (plan.hasPackedHeads()) {
    at.first = std::nullopt;
    at.slots *= plan.heads;
    return at;
  }
  if (cls.layout.isContiguous())
    return at;
  // Tiles that lie in a run each are of neighbours.
  const Layout &layout = cls.layout;
  bool isOfRuns = layout.width % layout.tile == 0 &&
                  cls.rowBegin.isProvablyMultiple(layout.tile, LengthFacts());
  at.first = std::nullopt;
  if (isOfRuns) {
    at.first = std::max<int64_t>(cls.rowOf(begin, n), 0);
    at.there = {0, at.there.size()};
  }
  return at;
}
