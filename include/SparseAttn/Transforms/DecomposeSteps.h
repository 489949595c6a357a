//===- DecomposeSteps.h - Steps as linalg on tiles --------------*- C++ -*-===//

#ifndef SPARSEATTN_TRANSFORMS_DECOMPOSESTEPS_H
#define SPARSEATTN_TRANSFORMS_DECOMPOSESTEPS_H

#include "SparseAttn/Transforms/TileOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <memory>

namespace mlir::sparse_attn::transforms {

/// What the code of a step, or of an operation before or after its loop,
/// depends on.
struct StepInfo {
  StateType state;
  double scale = 1.0;
  /// Whether the step trusts nothing.
  bool exact = false;
  /// Keys of a tile.
  int64_t keys = 0;
  /// Whether a region makes new scores, and takes them scaled. The exponent has
  /// no scale then.
  bool hasScore = false;
};

/// Makes a target's code of steps.
class StepTarget {
public:
  virtual ~StepTarget() = default;

  /// Builds the code of a step at `loc`.
  virtual std::unique_ptr<TileOps> tiles(OpBuilder &b, Location loc,
                                         const StepInfo &step) const = 0;
  /// Whether rows of such a state have a factor, which keeps A from
  /// overflowing.
  virtual bool hasFactor(StateType state) const { return state.mayOverflow(); }
  /// Whether it copies rows that a layout names by itself: `gather_rows` stays.
  virtual bool copiesRows() const { return false; }
  /// Whether it writes them so, too: `scatter_rows` stays.
  virtual bool writesRows() const { return false; }
  /// How many stored states of this type are merged at a time, if there are as
  /// many: then one does not wait for another to be loaded.
  virtual int64_t statesAtOnce(StateType state) const { return 1; }
  /// Whether loops that carry such a state may run again.
  bool mayRunAgain(StateType state) const {
    return hasFactor(state) && state.getTrusting();
  }
};

/// Replaces every step, and what belongs to it, under `root` by linalg ops on
/// tiles, and every state by the tensors m [Bm], l [Bm] and A. It is an error
/// where what a state comes to is of another scale than the steps behind it.
LogicalResult decomposeSteps(Operation *root, const StepTarget &target);

/// Whether a loop is one of ours over query tiles, which no target has mapped
/// yet.
bool isGrid(scf::ForallOp loop);
/// Takes the marks of such loops away, for targets that treat them as all
/// others.
void forgetGrids(Operation *root);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_TRANSFORMS_DECOMPOSESTEPS_H
