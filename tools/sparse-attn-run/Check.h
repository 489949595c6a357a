//===- Check.h - Comparison with the fp64 reference -------------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_RUN_CHECK_H
#define SPARSEATTN_TOOLS_RUN_CHECK_H

#include "Compile.h"
#include "SparseAttn/Oracle/Compare.h"

namespace mlir::sparse_attn::run_tool {

/// Compares each observed op of a run with the reference, which evaluates the
/// mask pair by pair; the worst of all ops.
oracle::Comparison checkRun(const ObservedOps &observed,
                            ArrayRef<Array> results,
                            const oracle::CompareOptions &options);

} // namespace mlir::sparse_attn::run_tool

#endif // SPARSEATTN_TOOLS_RUN_CHECK_H
