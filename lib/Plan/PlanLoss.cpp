//===- PlanLoss.cpp - What a plan gives away, in words --------------------===//

#include "SparseAttn/Plan/Plan.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir::sparse_attn;
using namespace mlir::sparse_attn::plan;

static const char *visitedText(PlanLoss::Visited visited) {
  return visited == PlanLoss::Visited::Hull
             ? "all tiles between the first and the last one are visited, with "
               "the mask evaluated in each"
             : "every tile is visited, with the mask evaluated in each";
}

static std::string describeReason(const PlanLoss &loss) {
  std::string visited = visitedText(loss.visited);
  switch (loss.reason) {
  case PlanLoss::Reason::ManyPieces:
    return "the mask is a union of more than " +
           std::to_string(mask::defaultMaxPieces) + " pieces, so " + visited +
           "; write it with fewer terms, or give its parts attentions of "
           "their own and merge these by their LSE";
  case PlanLoss::Reason::ManyRowClasses:
    return "too many ranges of rows, such as those of global tokens, would be "
           "planned apart, so they are planned with all others; put tokens "
           "side by side, or give these rows an attention of their own";
  case PlanLoss::Reason::ManySegments:
    return "the tiles of a query tile need too many segments, so " + visited +
           "; write the mask with fewer terms, or give its parts attentions "
           "of their own and merge these by their LSE";
  case PlanLoss::Reason::OpaqueLeaf:
    return "'" + loss.leaf +
           "' has no closed form, so every tile that the rest of the mask "
           "leaves is visited, with the mask evaluated in each; intersect it "
           "with a mask that bounds it" +
           (loss.wantsLength ? ", or write the number of keys in the types, "
                               "with which it may have one"
                             : "");
  }
  llvm_unreachable("all reasons handled");
}

std::string plan::describe(const PlanLoss &loss) {
  std::string text = describeReason(loss);
  if (loss.isTableTooLong)
    text += "; a table of its tiles would have more than " +
            std::to_string(TileTable::maxEntries) + " entries";
  return text;
}
