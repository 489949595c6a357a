//===- Buffers.h - From tensors to buffers ----------------------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_PIPELINES_BUFFERS_H
#define SPARSEATTN_LIB_PIPELINES_BUFFERS_H

#include "mlir/Pass/PassManager.h"

namespace mlir::sparse_attn::pipelines {

/// One-shot bufferisation, as every pipeline wants it: dense row-major buffers
/// at function boundaries, and no copy of a view to itself left.
void addTensorsToBuffers(OpPassManager &pm);

} // namespace mlir::sparse_attn::pipelines

#endif // SPARSEATTN_LIB_PIPELINES_BUFFERS_H
