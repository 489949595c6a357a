//===- Arrays.h - Arguments and results of a function -----------*- C++ -*-===//

#ifndef SPARSEATTN_TOOLS_RUN_ARRAYS_H
#define SPARSEATTN_TOOLS_RUN_ARRAYS_H

#include "SparseAttn/Oracle/Npy.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace mlir::sparse_attn::run_tool {

/// A dense row-major array of f16, bf16, f32 or i32.
struct Array {
  Type element;
  SmallVector<int64_t> shape;
  std::vector<char> bytes;

  int64_t numElements() const;
  /// All elements as floats.
  std::vector<float> toFloats() const;
  /// As it is written: elements as they are, but bf16, which NumPy does not
  /// have, as f32.
  oracle::NpyArray toNpy() const;
};

/// Fails where this machine cannot hold argument `index`, of type `type` and
/// shape `shape`.
llvm::Error checkMemory(RankedTensorType type, llvm::ArrayRef<int64_t> shape,
                        unsigned index);

/// An array of standard normal noise, rounded to `element`.
Array makeNoise(Type element, llvm::ArrayRef<int64_t> shape, uint64_t seed,
                uint64_t stream);

/// Reads an .npy file for argument `index` of type `type`: its shape must fit
/// the type, its values are rounded to the type's elements.
llvm::Expected<Array> readArgument(llvm::StringRef path, RankedTensorType type,
                                   unsigned index);

/// A memref descriptor {allocated, aligned, offset, sizes, strides} as MLIR's
/// C interface passes it: all fields are 8 bytes.
class Descriptor {
public:
  /// Describes an array, or a copy of its bytes elsewhere.
  static Descriptor of(Array &array) { return of(array, array.bytes.data()); }
  static Descriptor of(const Array &array, void *bytes);
  static Descriptor ofRank(unsigned rank) { return Descriptor(rank); }

  void *data() { return fields.data(); }
  size_t sizeInFields() const { return fields.size(); }
  void *allocated() const { return reinterpret_cast<void *>(fields[0]); }
  /// A copy of what the descriptor points at.
  Array load(Type element) const;

private:
  explicit Descriptor(unsigned rank) : rank(rank), fields(3 + 2 * rank) {}
  unsigned rank;
  SmallVector<int64_t, 16> fields;
};

} // namespace mlir::sparse_attn::run_tool

#endif // SPARSEATTN_TOOLS_RUN_ARRAYS_H
