//===- Progression.h - Columns numbered from a start ------------*- C++ -*-===//
//
// The key positions of a thread's columns are start + 8 c + 2 t + e: one value
// of the thread and constants. Kept like that, what masks ask of a score is
//
//   start + c < high      one comparison, c < high - start
//   start + c - low       a sum, (start - low) + c, for each diagonal where the
//                         bound follows the query
//
// and a value of the row. Neither takes a register a column.
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

/// The result of `op`, if it compares a progression with something that does
/// not vary along columns, or subtracts that from it, for a tile of that many
/// rows.
std::optional<Fragment>
joinWithRows(OpBuilder &b, Operation *op, const Threads &threads, int64_t rows,
             llvm::function_ref<Fragment(Value)> fragmentOf);

/// The same fragment with its elements in `lanes`.
Fragment materialize(OpBuilder &b, Location loc, Fragment fragment);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FRAGMENTS_PROGRESSION_H
