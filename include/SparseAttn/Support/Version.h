//===- Version.h - What --version says --------------------------*- C++ -*-===//

#ifndef SPARSEATTN_SUPPORT_VERSION_H
#define SPARSEATTN_SUPPORT_VERSION_H

#include "llvm/ADT/StringRef.h"

namespace mlir::sparse_attn::support {

/// Makes --version name `tool` and this project's version, then LLVM's. Called
/// before the command line is parsed.
void setVersion(llvm::StringLiteral tool);

} // namespace mlir::sparse_attn::support

#endif // SPARSEATTN_SUPPORT_VERSION_H
