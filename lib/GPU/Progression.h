//===- Progression.h - Columns numbered from a start ------------*- C++ -*-===//
//
// The key positions of a thread's columns are start + 8 c + 2 t + e: one value
// of the thread and constants. Kept like that, a comparison with a row's limit,
//
//   start' + constant <= limit      as      constant <= limit - start'
//
// costs one instruction a score and no register a column, and the differences
// are taken once a row.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_PROGRESSION_H
#define SPARSEATTN_LIB_GPU_PROGRESSION_H

#include "Fragment.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::sparse_attn {

/// The numbers of the columns of a tile of that many, as a fragment of index.
Fragment columnNumbers(OpBuilder &b, Location loc, const Threads &threads,
                       int64_t columns);

/// The result of `op` on fragments, if it is a progression again: a cast of
/// one, or one plus or minus a scalar.
std::optional<Fragment>
continueProgression(OpBuilder &b, Operation *op,
                    llvm::function_ref<Fragment(Value)> fragmentOf);

/// The result of a comparison of a progression with what does not vary along
/// columns, if `op` is one. `shape` is that of the compared values.
std::optional<Fragment>
compareProgression(OpBuilder &b, const Threads &threads, arith::CmpIOp op,
                   llvm::function_ref<Fragment(Value)> fragmentOf);

/// The same fragment with its elements in `lanes`.
Fragment materialize(OpBuilder &b, Location loc, Fragment fragment);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_LIB_GPU_PROGRESSION_H
