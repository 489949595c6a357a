//===- Program.h - What a launcher has to know of a function ----*- C++ -*-===//
//
// A function whose attention runs on a GPU, as a launcher sees it: the tensors
// it takes and returns, and the launches to make, in order, with formulas over
// the sizes. Knows no IR. docs/Package.md says how a launcher uses it.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_PACKAGE_FILES_PROGRAM_H
#define SPARSEATTN_PACKAGE_FILES_PROGRAM_H

#include "SparseAttn/Formula/SizeExpr.h"
#include "llvm/ADT/SmallVector.h"
#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mlir::sparse_attn::package {

using ::sparse_attn::formula::SizeExpr;

/// What kernels assume of every pointer: their widest accesses are of 16 bytes.
constexpr int64_t kBufferAlignment = 16;

/// Where a workspace of several buffers puts them: at multiples of this, as a
/// driver's own allocations.
constexpr int64_t kWorkspaceAlignment = 256;

/// A tensor in global memory.
struct BufferSpec {
  std::string elementType; ///< f16, bf16, f32, i32, ...
  int64_t elementBits = 0;
  llvm::SmallVector<SizeExpr, 4> shape;
  /// query, key, value, output, lse; none for a tensor that no attention
  /// takes or gives.
  llvm::SmallVector<std::string, 1> roles;
  /// Whether rows may lie anywhere, at strides that kernels are told; else the
  /// tensor is dense and row-major. The elements of a row are side by side in
  /// any case.
  bool isStrided = false;

  /// The elements take so many bytes where there are no gaps between them.
  SizeExpr bytes() const;
  /// What every stride of a strided tensor but the last is a multiple of, in
  /// elements, so that rows start where kernels can read them.
  int64_t strideMultiple() const;
};

/// One of the tensors of a program.
struct BufferRef {
  enum class Kind { Argument, Result, Workspace };
  Kind kind = Kind::Argument;
  unsigned index = 0;
};

/// The size `dim` of argument `argument`.
struct SizeSource {
  unsigned argument, dim;
};

/// A size that is known at run time only. All of `sources` must agree.
struct SizeSpec {
  std::string name;
  llvm::SmallVector<SizeSource, 4> sources;
};

/// What must not be 0, for sizes that fit together.
struct Condition {
  SizeExpr formula;
  std::string text;
};

/// The address of a buffer.
struct PointerArgument {
  BufferRef buffer;
};

/// The stride of a buffer in dimension `dim`, in elements, of 64 bits.
struct StrideArgument {
  BufferRef buffer;
  unsigned dim = 0;
};

/// An integer of `bits` bits, 32 or 64.
struct IntegerArgument {
  SizeExpr value;
  unsigned bits = 32;
};

/// A tensor map, by value: 128 bytes at a multiple of 64, which tell a GPU of
/// compute capability 9.0 or later how to copy tiles of a buffer. Dimensions
/// are in the order of the buffer's, the last one's elements side by side.
struct TensorMapArgument {
  BufferRef buffer;
  std::string elementType;
  int64_t elementBits = 0;
  llvm::SmallVector<SizeExpr, 4> sizes;
  /// The strides of all dimensions but the last, in elements, are what the
  /// caller gives for a strided buffer, and the products of later sizes for a
  /// dense one.
  bool isStrided = false;
  llvm::SmallVector<int64_t, 4> box;
  /// Bytes after which the permutation of a row's chunks repeats; 0, 32, 64 or
  /// 128.
  int64_t swizzle = 0;

  /// The strides that a dense buffer has.
  llvm::SmallVector<SizeExpr, 4> denseStrides() const;
};

/// A kernel's parameter.
using KernelArgument = std::variant<PointerArgument, StrideArgument,
                                    IntegerArgument, TensorMapArgument>;

/// The buffer that a parameter says something of, or null.
BufferRef *getBuffer(KernelArgument &argument);

struct LaunchSpec {
  std::string kernel;
  std::array<SizeExpr, 3> grid, block;
  SizeExpr sharedBytes; ///< dynamic shared memory of a block
  std::vector<KernelArgument> arguments;
};

/// An attention op, or what reduces as attention does, for people and for
/// launchers that choose among programs.
struct AttentionSpec {
  std::string mask, elementType;
  /// Numbers that the results depend on: for attention, the scale.
  std::vector<std::pair<std::string, double>> parameters;
  int64_t headSize = 0, valueHeadSize = 0;
  int64_t tileQueries = 0, tileKeys = 0;
  std::string plan; ///< as printPlan gives it
  bool hasLse = false;
};

struct Program {
  std::string name; ///< the function's
  std::vector<SizeSpec> sizes;
  std::vector<Condition> conditions;
  std::vector<BufferSpec> arguments;
  std::vector<BufferSpec> results;
  /// Where each result is: a buffer of its own, or an argument that the program
  /// writes.
  std::vector<BufferRef> resultBuffers;
  /// Scratch memory, needed from the first launch to the last.
  std::vector<BufferSpec> workspaces;
  std::vector<LaunchSpec> launches;
  std::vector<AttentionSpec> attentions;

  /// Where buffer `index` stands in one allocation for all of them; with the
  /// number of buffers, the size of that allocation.
  SizeExpr workspaceOffset(size_t index) const;
};

} // namespace mlir::sparse_attn::package

#endif // SPARSEATTN_PACKAGE_FILES_PROGRAM_H
