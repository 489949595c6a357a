//===- Passes.h - What functions take and return ----------------*- C++ -*-===//

#ifndef SPARSEATTN_BOUNDARY_PASSES_H
#define SPARSEATTN_BOUNDARY_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::sparse_attn {

/// These name, on functions after --sparse-attn-results-to-arguments, the
/// argument that each result is, and its type, whose layouts are lost further
/// down.
constexpr llvm::StringLiteral kResultPlacesAttr = "sparse_attn.result_places";
constexpr llvm::StringLiteral kBuffersAttr = "sparse_attn.buffers";

#define GEN_PASS_DECL
#include "SparseAttn/Boundary/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "SparseAttn/Boundary/Passes.h.inc"

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_BOUNDARY_PASSES_H
