//===- NpyFormat.h - Shared by reading and writing .npy ---------*- C++ -*-===//

#ifndef SPARSEATTN_LIB_ORACLE_NPYFORMAT_H
#define SPARSEATTN_LIB_ORACLE_NPYFORMAT_H

#include "SparseAttn/Oracle/Npy.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"
#include <optional>

namespace mlir::sparse_attn::oracle::npy {

inline constexpr llvm::StringRef magic("\x93NUMPY", 6);

inline llvm::Error makeError(llvm::StringRef name, const llvm::Twine &message) {
  return llvm::createStringError("'" + name + "': " + message);
}

/// The number of bytes that `shape` takes, nullopt past 2^63 - 1.
inline std::optional<int64_t> countBytes(llvm::ArrayRef<int64_t> shape,
                                         NpyArray::Dtype dtype) {
  int64_t bytes = byteSize(dtype);
  for (int64_t extent : shape)
    if (llvm::MulOverflow(bytes, extent, bytes))
      return std::nullopt;
  return bytes;
}

} // namespace mlir::sparse_attn::oracle::npy

#endif // SPARSEATTN_LIB_ORACLE_NPYFORMAT_H
