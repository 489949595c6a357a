//===- WarpRows.h - Rows that warps compute apart ---------------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_INSPECT_WARPROWS_H
#define SPARSEATTN_TOOLS_INSPECT_WARPROWS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/Error.h"

namespace mlir::sparse_attn::inspect_tool {

/// By the queries of its tiles, how many rows a warp takes that leaves out
/// tiles which none of its rows reaches. Blocks that compute all of a tile have
/// no entry.
using WarpRows = llvm::DenseMap<int64_t, int64_t>;
using WarpRowsByOp = llvm::DenseMap<Operation *, WarpRows>;

/// Those of the attention ops of a module that is planned for the chip: what
/// kernels do is asked of the pipeline that makes them. Other targets have
/// none. Fails where that pipeline does, with what it says.
llvm::Expected<WarpRowsByOp> findWarpRows(ModuleOp planned, StringRef target);

} // namespace mlir::sparse_attn::inspect_tool

#endif // SPARSEATTN_TOOLS_INSPECT_WARPROWS_H
