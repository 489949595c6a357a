//===- NeverUnroll.h - Loops that stay short --------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_FRAGMENTS_NEVERUNROLL_H
#define SPARSEATTN_LIB_GPU_FRAGMENTS_NEVERUNROLL_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::sparse_attn::kernels {

/// Keeps LLVM from unrolling a loop that only rare inputs reach, which would
/// cost every block registers, and every compilation time.
inline void neverUnroll(scf::ForOp loop) {
  MLIRContext *context = loop.getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(
      context, /*disable=*/BoolAttr::get(context, true), {}, {}, {}, {}, {},
      {});
  loop->setAttr("llvm.loop_annotation",
                LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, unroll, {},
                                              {}, {}, {}, {}, {}, {}, {}, {},
                                              {}, {}));
}

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_FRAGMENTS_NEVERUNROLL_H
