//===- Error.h - Errors with a formatted message ----------------*- C++ -*-===//

#ifndef SPARSEATTN_SUPPORT_ERROR_H
#define SPARSEATTN_SUPPORT_ERROR_H

#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::sparse_attn::support {

/// An error whose text is formatv(format, args...).
template <typename... Args>
llvm::Error makeError(const char *format, const Args &...args) {
  return llvm::createStringError(llvm::formatv(format, args...).str());
}

} // namespace mlir::sparse_attn::support

#endif // SPARSEATTN_SUPPORT_ERROR_H
