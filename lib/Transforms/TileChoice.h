//===- TileChoice.h - The tile of an op by a target's rules -----*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_TILECHOICE_H
#define SPARSEATTN_LIB_TRANSFORMS_TILECHOICE_H

#include "SparseAttn/IR/SparseAttn.h"
#include "SparseAttn/Plan/PlanParts.h"
#include "SparseAttn/Target/Target.h"

namespace mlir::sparse_attn::transforms {

/// How passes that plan choose tiles.
struct TileChoice {
  /// Sizes that are given; 0 where they are chosen.
  int64_t queries = 0, keys = 0;
  /// `cpu` and `gpu` are any target of their kind, for whose rules the levels
  /// and chips do not differ.
  StringRef target;
  int64_t stages = 2;
  /// Of the target `gpu`; chips have their own.
  int64_t sharedLimit = 0;

  /// Reports an option that has no meaning at `op`.
  LogicalResult verify(Operation *op) const;
  plan::TileShape choose(MaskedReductionOpInterface op, const mask::Mask &mask,
                         const plan::LengthFacts &facts) const;
  /// The tiles that a table may have in the place of `chosen`.
  SmallVector<target::TableTile> tableTiles(MaskedReductionOpInterface op,
                                            plan::TileShape chosen) const;
  /// Whether the target is a GPU.
  bool isForGpu() const;
  /// What plans of `op` for the target may be made of. Where tiles have a given
  /// size there are no parts, which have tiles of their own.
  plan::PlanForms forms(MaskedReductionOpInterface op) const;
};

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_TILECHOICE_H
