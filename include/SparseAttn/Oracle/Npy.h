//===- Npy.h - NumPy's .npy files -------------------------------*- C++ -*-===//
//
// Tensors in and out of the tools. Reads versions 1 and 2 of the format with
// little-endian f4, f2, f8 or i4 elements in C order, and writes them; no
// pickles.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_ORACLE_NPY_H
#define SPARSEATTN_ORACLE_NPY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace mlir::sparse_attn::oracle {

/// An array as it stands in the file, elements in row-major order.
struct NpyArray {
  enum class Dtype { F16, F32, F64, I32, I64 };

  llvm::SmallVector<int64_t> shape;
  Dtype dtype = Dtype::F32;
  std::vector<char> data;

  int64_t numElements() const;
  /// Element `index` (row-major), rounded to float.
  float getFloat(int64_t index) const;
  /// All elements, rounded to float.
  std::vector<float> toFloats() const;
};

/// Bytes of one element.
int64_t byteSize(NpyArray::Dtype dtype);

/// Reads `path`. An error names the file, what is wrong with it and what would
/// be accepted.
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// The same on the bytes of a file; `name` stands for it in messages.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef bytes, llvm::StringRef name);

/// Writes `array`. The file appears whole, under a temporary name renamed at
/// the end, or not at all; devices are refused.
llvm::Error writeNpy(llvm::StringRef path, const NpyArray &array);

} // namespace mlir::sparse_attn::oracle

#endif // SPARSEATTN_ORACLE_NPY_H
