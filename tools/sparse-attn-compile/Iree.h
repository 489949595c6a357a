//===- Iree.h - --emit=iree -------------------------------------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_COMPILE_IREE_H
#define SPARSEATTN_TOOLS_COMPILE_IREE_H

#include "SparseAttn/Package/Compile/Compile.h"
#include <variant>

namespace mlir::sparse_attn::package {

/// What to compile for: a processor or a GPU.
using IreeTarget = std::variant<HostOptions, const NVVMPipelineOptions *>;

/// The files of functions for IREE.
llvm::Expected<std::vector<OutputFile>>
makeIreeFiles(llvm::ArrayRef<func::FuncOp> functions, const IreeTarget &target);

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_TOOLS_COMPILE_IREE_H
