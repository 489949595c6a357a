//===- ColumnRange.h - Columns between a row's bounds -----------*- C++ -*-===//
//
// Comparisons of numbered columns (Progression.h) with what does not vary along
// columns are kept as bounds of the columns, low <= start + c < high, for as
// long as predicates are joined by `and`: then
//
//   one bound     c < high - start
//   both bounds   (start - low) + c <u high - low
//
// is one comparison a score, whatever number of comparisons were joined. What
// does not depend on the column is computed once a row. In the second form,
// start - low + c is a sum for each diagonal where the bound follows the query.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_FRAGMENTS_COLUMNRANGE_H
#define SPARSEATTN_LIB_GPU_FRAGMENTS_COLUMNRANGE_H

#include "Fragment.h"

namespace mlir::sparse_attn::kernels {

/// Whether a fragment is one.
bool isColumnRange(const Fragment &fragment);

/// The result of `op`, if it is a range: a signed comparison of a progression,
/// both of two ranges of the same columns, or the complement of one bound.
std::optional<Fragment>
continueRange(OpBuilder &b, Operation *op,
              llvm::function_ref<Fragment(Value)> fragmentOf);

/// The same fragment with its elements in `lanes`, for a tile of that many
/// rows.
Fragment materializeRange(OpBuilder &b, Location loc, const Threads &threads,
                          const Fragment &fragment, int64_t rows);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FRAGMENTS_COLUMNRANGE_H
