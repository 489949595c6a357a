//===- PrintPlan.cpp - Plans as text --------------------------------------===//

#include "SparseAttn/Plan/Plan.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

void plan::printPlan(const Plan &plan, llvm::raw_ostream &os) {
  os << "tile " << plan.tile.queries << " x " << plan.tile.keys << '\n';
  for (const RowClass &cls : plan.classes) {
    os << "rows " << cls.rowBegin.str() << " to " << cls.rowEnd.str()
       << (cls.heavy ? ", heavy\n" : "\n");
    for (const Segment &segment : cls.segments)
      os << (segment.full ? "  full " : "  partial ") << segment.begin.str()
         << " to " << segment.end.str() << '\n';
    for (const Draw &draw : cls.draws)
      os << (draw.full ? "  draw full " : "  draw ") << draw.random.blocksPerRow
         << " blocks of " << draw.random.block << ", " << draw.begin.str()
         << " to " << draw.end.str() << '\n';
  }
}
