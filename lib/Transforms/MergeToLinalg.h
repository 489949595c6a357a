//===- MergeToLinalg.h - A merge as elementwise linalg ----------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_TRANSFORMS_MERGETOLINALG_H
#define SPARSEATTN_LIB_TRANSFORMS_MERGETOLINALG_H

#include "SparseAttn/IR/SparseAttn.h"

namespace mlir::sparse_attn::transforms {

/// The results O and LSE of a merge, computed over all of its rows at once.
SmallVector<Value> mergeToLinalg(OpBuilder &b, MergeOp op);

} // namespace mlir::sparse_attn::transforms

#endif // SPARSEATTN_LIB_TRANSFORMS_MERGETOLINALG_H
