//===- Passes.h - Passes of the emulator ------------------------*- C++ -*-===//

#ifndef SPARSEATTN_EMULATOR_PASSES_H
#define SPARSEATTN_EMULATOR_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::sparse_attn {

#define GEN_PASS_DECL
#include "SparseAttn/Emulator/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "SparseAttn/Emulator/Passes.h.inc"

} // namespace mlir::sparse_attn

#endif // SPARSEATTN_EMULATOR_PASSES_H
