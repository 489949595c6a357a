//===- RowSlots.h - Rows that stand where a layout says ---------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PROOF_ROWSLOTS_H
#define SPARSEATTN_LIB_PROOF_ROWSLOTS_H

#include "SparseAttn/Plan/Layout.h"
#include "Unknowns.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::sparse_attn::proof {

/// What is asked of a slot.
using SlotFormula = llvm::function_ref<Formula(const Linear &slot)>;

/// The position is that of a lattice's slot, and `isOf` holds for it.
Formula isInLattice(Unknowns &x, const Linear &position,
                    const plan::Layout &lattice, SlotFormula isOf);

/// The position is that of no slot, or of one for which `isNotOf` holds.
Formula isNotInLattice(Unknowns &x, const Linear &position,
                       const plan::Layout &lattice, SlotFormula isNotOf);

/// The row of `x` stands in a slot of the layout, and `isOf` holds for it. A
/// contiguous slot is the row.
Formula hasRow(Unknowns &x, const plan::Layout &layout, SlotFormula isOf);

/// The row of `x` stands in no slot, or in one for which `isNotOf` holds.
Formula hasNoRow(Unknowns &x, const plan::Layout &layout, SlotFormula isNotOf);

} // namespace mlir::sparse_attn::proof

#endif // SPARSEATTN_LIB_PROOF_ROWSLOTS_H
