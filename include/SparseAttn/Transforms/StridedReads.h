//===- StridedReads.h - Elements of slices that are apart -------*- C++ -*-===//
//
// vector.gather counts elements from one to the next of a dense buffer, and
// upstream makes one of a tensor.extract at computed indices whatever tensor
// that is of. Where the tensor is a slice of a larger one, other elements would
// be read.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_TRANSFORMS_STRIDEDREADS_H
#define SPARSEATTN_TRANSFORMS_STRIDEDREADS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::sparse_attn {

/// A tensor.extract inside of `op` whose tensor is not known to be dense; null
/// where there is none.
Operation *findStridedRead(linalg::LinalgOp op);

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_TRANSFORMS_STRIDEDREADS_H
