//===- PrintPlan.cpp - Plans as text --------------------------------------===//

#include "SparseAttn/Mask/PieceText.h"
#include "SparseAttn/Plan/Plan.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

template <typename Part>
static void printTiles(const Part &part, llvm::raw_ostream &os) {
  os << part.begin.str() << " to " << part.end.str();
  if (part.when != TileExpr::constant(1))
    os << " when " << part.when.str() << " > 0";
}

/// A line for each query tile, of the first ones only where there are many.
static void printTable(const TileTable &table, llvm::raw_ostream &os) {
  constexpr int64_t most = 8;
  int64_t shown = table.numQueryTiles() <= most ? table.numQueryTiles() : most;
  for (int64_t q = 0; q < shown; ++q) {
    table.printQueryTile(os << "  tile ", q);
    os << '\n';
  }
  if (shown == table.numQueryTiles())
    return;
  size_t partial = 0, full = 0;
  for (int64_t q = 0; q < table.numQueryTiles(); ++q) {
    partial += table.partialOf(q).size();
    full += table.fullOf(q).size();
  }
  os << "  and " << table.numQueryTiles() - shown << " more query tiles; all "
     << table.numQueryTiles() << " have " << partial << " partial and " << full
     << " full key tiles\n";
}

static void printClass(const RowClass &cls, llvm::raw_ostream &os) {
  os << "rows " << cls.rowBegin.str() << " to " << cls.rowEnd.str();
  if (!cls.layout.isContiguous())
    cls.layout.print(os << " of ");
  os << (cls.heavy ? ", heavy" : "") << (cls.hasTable() ? ", table\n" : "\n");
  printTable(cls.table, os);
  for (const Segment &segment : cls.segments) {
    os << (segment.full ? "  full " : "  partial ");
    printTiles(segment, os);
    if (!segment.layout.isContiguous())
      segment.layout.print(os << " of ");
    if (!segment.within.isEverything())
      os << " within " << segment.within;
    if (segment.where) {
      os << " where ";
      printPieces(*segment.where, os);
    }
    os << '\n';
  }
  for (const Draw &draw : cls.draws) {
    os << (draw.full ? "  draw full " : "  draw ") << draw.random.blocksPerRow
       << " blocks of " << draw.random.block << ", ";
    printTiles(draw, os);
    os << '\n';
  }
}

static void printPart(const Part &part, llvm::raw_ostream &os) {
  os << "part ";
  if (part.step > 1)
    os << "folded by " << part.step << ", ";
  printPieces(part.pairs, os);
  os << ", tile " << part.tile.queries << " x " << part.tile.keys << '\n';
  for (const RowClass &cls : part.classes)
    printClass(cls, os);
}

void plan::printPlan(const Plan &plan, llvm::raw_ostream &os) {
  if (plan.parts.empty())
    os << "tile " << plan.tile.queries << " x " << plan.tile.keys;
  else
    os << plan.parts.size() << (plan.parts.size() == 1 ? " part" : " parts");
  if (plan.hasPackedHeads())
    os << " of " << plan.heads << " heads";
  if (!plan.assumed.isTrivial())
    os << ", where " << plan.assumed.str();
  if (plan.fewBlocks)
    os << ", for few blocks";
  os << '\n';
  for (const Part &part : plan.parts)
    printPart(part, os);
  for (const RowClass &cls : plan.classes)
    printClass(cls, os);
}
