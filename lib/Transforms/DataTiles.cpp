//===- DataTiles.cpp - Key tiles that data leaves -------------------------===//

#include "DataTiles.h"
#include "SlotTiles.h"

using namespace mlir;
using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::transforms;

SmallVector<TileRun> DataSpan::clip(OpBuilder &b, Location loc,
                                    const TileRun &run,
                                    const plan::Within &within) const {
  if (!within.documents)
    return within.isListed() ? listed.select(b, loc, run, within)
                             : SmallVector<TileRun>{run};
  SmallVector<TileRun> runs = documents.clip(b, loc, run);
  if (!within.isListed())
    return runs;
  if (!within.isEither) {
    SmallVector<TileRun> both;
    for (const TileRun &part : runs)
      llvm::append_range(both, listed.select(b, loc, part, within));
    return both;
  }
  // And what is listed of the tiles at the left and at the right of those.
  IndexMath math{b, loc};
  TileRun left = run, right = run;
  left.end = math.min(runs.front().begin, run.end);
  right.begin = math.min(runs.back().end, run.end);
  for (const TileRun &side : {left, right})
    llvm::append_range(runs, listed.select(b, loc, side, within));
  return runs;
}

DataSpan DataTiles::spanAt(OpBuilder &b, const DataTables &tables,
                           ValueRange ids, const ReductionShapes &here) const {
  const DocumentTable &any =
      tables.documents ? tables.documents : tables.listed;
  if (!any)
    return {};
  IndexMath math{b, loc};
  Value before = firstTileOfSlots(b, loc, here, keys);
  return {documents.spanAt(b, tables.documents, ids, here),
          listed.spanAt(b, tables.listed, ids, here),
          math.mul(ids[2], any.size),
          before ? math.mul(before, keys) : Value()};
}
