//===- Progression.h - Columns numbered from a start ------------*- C++ -*-===//
//
// The key positions of a thread's columns are start + 8 c + 2 t + e: one value
// of the thread and constants. Kept like that, a comparison with a row's limit
// costs one instruction a score and no register a column (ColumnRange.h).
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_FRAGMENTS_PROGRESSION_H
#define SPARSEATTN_LIB_GPU_FRAGMENTS_PROGRESSION_H

#include "Fragment.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::sparse_attn::kernels {

/// The numbers of the columns of a tile of that many, as a fragment of index.
Fragment columnNumbers(OpBuilder &b, Location loc, const Threads &threads,
                       int64_t columns);

/// The result of `op` on fragments, if it is a progression again: a cast of
/// one, or one plus or minus a scalar.
std::optional<Fragment>
continueProgression(OpBuilder &b, Operation *op,
                    llvm::function_ref<Fragment(Value)> fragmentOf);

/// Whether a fragment is one.
bool isProgression(const Fragment &fragment);

/// The same fragment with its elements in `lanes`.
Fragment materialize(OpBuilder &b, Location loc, Fragment fragment);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FRAGMENTS_PROGRESSION_H
