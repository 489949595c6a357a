//===- Elements.h - Elements of a vector by themselves ----------*- C++ -*-===//
//
// The numbers of the rows that sparse_attn.read_rows reads are a vector, of
// which each thread needs an element or a few, when it copies these rows.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_GPU_FORM_ELEMENTS_H
#define SPARSEATTN_LIB_GPU_FORM_ELEMENTS_H

#include "mlir/IR/Builders.h"

namespace mlir::sparse_attn::kernels {

/// What keeps elements of a vector of one dimension from being computed by
/// themselves: an operation that neither numbers, repeats or reads elements
/// nor computes with them one by one, or the one that takes `vector` from
/// another block; null where there is none.
Operation *findWhole(Value vector, Operation *user);

/// The element of such a vector at `place`, an i32. `outside` gives what is to
/// be taken for a scalar or a buffer.
Value emitElement(OpBuilder &b, Value vector, Value place,
                  llvm::function_ref<Value(Value)> outside);

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FORM_ELEMENTS_H
