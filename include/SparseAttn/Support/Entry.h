//===- Entry.h - The functions of a file, by name ---------------*- C++ -*-===//

#ifndef SPARSEATTN_SUPPORT_ENTRY_H
#define SPARSEATTN_SUPPORT_ENTRY_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::sparse_attn::support {

/// The name of a function in its file: after those of the modules that it
/// stands in, but for the file's own, as in `inner::f`.
std::string getPath(FunctionOpInterface func);

/// Those names with commas between; "none" if there is none.
std::string listPaths(llvm::ArrayRef<FunctionOpInterface> functions);

/// The one of `functions` that --entry names: the one with this path, or else
/// the only one with this name in any module.
llvm::Expected<FunctionOpInterface>
findByName(llvm::ArrayRef<FunctionOpInterface> functions,
           llvm::StringRef entry);

} // namespace mlir::sparse_attn::support

#endif // SPARSEATTN_SUPPORT_ENTRY_H
