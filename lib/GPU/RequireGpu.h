//===- RequireGpu.h - The target of a pass ----------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_GPU_REQUIREGPU_H
#define SPARSEATTN_LIB_GPU_REQUIREGPU_H

#include "SparseAttn/Target/Target.h"
#include "mlir/IR/Operation.h"

namespace mlir::sparse_attn::kernels {

/// The chip that a pass's option names; or null, with an error at `op`.
inline const target::GpuTarget *requireGpu(Operation *op, StringRef name) {
  const target::GpuTarget *gpu = target::findGpu(name);
  if (!gpu)
    op->emitError("unknown chip '")
        << name << "'; kernels are made for " << target::knownGpus();
  return gpu;
}

} // namespace mlir::sparse_attn::kernels

#endif // SPARSEATTN_LIB_GPU_REQUIREGPU_H
