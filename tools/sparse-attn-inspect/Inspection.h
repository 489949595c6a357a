//===- Inspection.h - What is to be known of an attention op ----*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_INSPECT_INSPECTION_H
#define SPARSEATTN_TOOLS_INSPECT_INSPECTION_H

#include "Sizes.h"
#include "SparseAttn/Inspect/Cost.h"
#include "SparseAttn/Inspect/Picture.h"
#include "SparseAttn/Inspect/Reach.h"
#include "SparseAttn/Proof/Certificate.h"
#include "WarpRows.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::sparse_attn::inspect_tool {

struct InspectionOptions {
  /// Ask whether the plan covers the mask.
  bool prove = false;
  /// Ask what is reached after so many layers.
  std::optional<int64_t> layers;
  /// The head of the picture.
  int64_t head = 0;
};

/// The facts about one attention op, which all formats report.
struct Inspection {
  explicit Inspection(mask::Mask mask) : mask(std::move(mask)) {}

  /// The name of its function, and its line where it is known.
  std::string entry;
  std::optional<unsigned> line;
  /// The attribute, and what it stands for.
  std::string maskText;
  mask::Mask mask;
  std::string elementType;
  support::AttentionShape shape;
  plan::Plan plan;
  /// What it gives away, where it is the planner's own.
  SmallVector<plan::PlanLoss> losses;
  /// The tiles of all query heads of one batch.
  plan::TileCounts tiles;
  /// Pairs that are computed, of those heads: those of the tiles that are
  /// visited, but of the rows of warps that leave a tile out.
  uint64_t visitedPairs = 0;
  /// And with the rows and keys with which code fills up its tiles.
  uint64_t computedPairs = 0;
  /// Neighbouring rows that are computed together, and the pairs that such
  /// rows cost at least, of those heads.
  int64_t rowsTogether = 0;
  uint64_t leastPairs = 0;
  inspection::Cost cost;
  /// nullopt: not asked for.
  std::optional<proof::Proof> proof;
  /// nullopt: undefined, or the sequence is too long to compute it unasked.
  std::optional<inspection::Reach> reach;
  std::optional<int64_t> layers;
  int64_t head = 0;

  mask::Lengths lengths() const { return {shape.queries, shape.keys}; }
  /// Draws the mask and the parts of the plan.
  inspection::Picture picture(int64_t maxCells) const;
  bool isRefuted() const {
    return proof && proof->verdict == proof::Verdict::Refuted;
  }
};

/// The attention ops of function `entry`, or of all functions where it is
/// empty. Fails where there is no such function or no such op.
llvm::Expected<SmallVector<AttentionOp>> findAttentions(ModuleOp module,
                                                        StringRef entry);

/// Inspects `op`, which has a plan. May say why it fails in a diagnostic of its
/// own, too.
llvm::Expected<Inspection> inspect(AttentionOp op, const WarpRows &warps,
                                   const InspectionOptions &options,
                                   support::ShapeBindings &bindings);

void printJson(ArrayRef<Inspection> inspections, raw_ostream &os);
void printReport(const Inspection &inspection, raw_ostream &os);
/// Prints the report's lines on the mask, the plan, and what is counted.
void printSummary(const Inspection &inspection, raw_ostream &os);

} // namespace mlir::sparse_attn::inspect_tool

#endif // SPARSEATTN_TOOLS_INSPECT_INSPECTION_H
