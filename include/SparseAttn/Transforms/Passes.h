//===- Passes.h - From attention to loops over tiles ------------*- C++ -*-===//

#ifndef SPARSEATTN_TRANSFORMS_PASSES_H
#define SPARSEATTN_TRANSFORMS_PASSES_H

#include "SparseAttn/IR/SparseAttn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::sparse_attn {

#define GEN_PASS_DECL
#include "SparseAttn/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "SparseAttn/Transforms/Passes.h.inc"

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_TRANSFORMS_PASSES_H
