//===- ReductionPatterns.h - Smaller attention that fails alike -*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_REDUCE_REDUCTIONPATTERNS_H
#define SPARSEATTN_TOOLS_REDUCE_REDUCTIONPATTERNS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::sparse_attn::reduce_tool {

/// Tells upstream's reducer what attention can do without: members of its mask,
/// its plan, scale and soft cap.
void registerReductionPatterns(DialectRegistry &registry);

} // namespace mlir::sparse_attn::reduce_tool

#endif // SPARSEATTN_TOOLS_REDUCE_REDUCTIONPATTERNS_H
