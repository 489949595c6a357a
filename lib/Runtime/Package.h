//===- Package.h - A package in memory --------------------------*- C++ -*-===//
//
// What manifest.json says (docs/Package.md), checked, with the contents of the
// files that it names. Immutable once open.
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEATTN_LIB_RUNTIME_PACKAGE_H
#define SPARSEATTN_LIB_RUNTIME_PACKAGE_H

#include "ManifestFormula.h"
#include "SparseAttn/Runtime/SparseAttnRuntime.h"
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sparse_attn::runtime {

using formula::kSmCount;

struct BufferRef {
  enum class Kind { Argument, Result, Workspace };
  Kind kind = Kind::Argument;
  size_t index = 0;
};

struct TensorSpec {
  SparseAttnType type = SPARSE_ATTN_F32;
  std::vector<Formula> shape;
  std::vector<std::string> roles;
  /// Whether its dimensions are batch, heads, sequence and head size, so that
  /// SPARSE_ATTN_BSHD says something of it.
  bool hasHeads = false;
  BufferRef buffer; ///< of a result: where it is
  /// Whether rows may lie at any strides that are multiples of this, in
  /// elements; else the tensor is dense and row-major.
  bool isStrided = false;
  int64_t strideMultiple = 1;

  // The C interface hands them out like this.
  std::vector<int64_t> staticShape;
  std::vector<const char *> sizeTexts, roleTexts;
};

struct SizeSource {
  size_t argument, dim;
};

struct Condition {
  Formula formula;
  std::string text;
};

/// The address of a buffer.
struct PointerArgument {
  BufferRef buffer;
};

/// The stride of an argument or result in this dimension.
struct StrideArgument {
  BufferRef buffer;
  size_t dim = 0;
};

struct IntegerArgument {
  Formula value;
  bool is64Bits = false;
};

/// A tensor map, by value. Dimensions are in the order of the buffer's.
struct TensorMapArgument {
  BufferRef buffer;
  SparseAttnType type = SPARSE_ATTN_F32;
  std::vector<Formula> sizes;
  /// A stride of each dimension but the last, in elements, is a formula, or
  /// what the caller gives as the tensor's stride in a dimension.
  std::vector<std::variant<Formula, size_t>> strides;
  std::vector<int64_t> box;
  int64_t swizzle = 0; ///< bytes: 0, 32, 64 or 128
};

/// A kernel's parameter.
using KernelArgument = std::variant<PointerArgument, StrideArgument,
                                    IntegerArgument, TensorMapArgument>;

struct Launch {
  std::string kernel;
  std::array<Formula, 3> grid, block;
  Formula sharedBytes;
  std::vector<KernelArgument> arguments;
};

struct PackageFile {
  std::string kind, name, sha256;
  uint64_t size = 0;
  std::string contents; ///< of ptx, cubin and host files
};

/// The launches of a function for the sizes for which `when` is not 0. Formulas
/// are over the sizes, then kSmCount.
struct LaunchVariant {
  Formula when;
  Formula workspaceBytes;
  std::vector<Formula> workspaceOffsets;
  std::vector<Launch> launches;
  /// Its first launch has this number among those of all launch variants.
  size_t firstLaunch = 0;
};

/// A function for one chip, or for the host: then `chip` is a level of x86-64,
/// and there are no launches.
struct Variant {
  std::string name, chip;
  bool isHost = false;
  std::string entry;  ///< of host code: the symbol to call
  int capability = 0; ///< 90 for 9.0
  bool thisChipOnly = false;
  int ptxMajor = 0, ptxMinor = 0;
  std::vector<PackageFile> files;

  std::vector<std::string> sizes;
  std::vector<std::vector<SizeSource>> sources; ///< of each size
  std::vector<Condition> conditions;
  uint64_t alignment = 1;
  std::vector<TensorSpec> arguments, results;
  /// A call makes the launches of the first that takes its sizes.
  std::vector<LaunchVariant> launchVariants;
  /// Whether a formula of theirs has the number of multiprocessors.
  bool dependsOnDevice = false;
  /// Whether a kernel takes a tensor map, which not every driver can make.
  bool hasTensorMaps = false;

  /// Whether a result is neither in an argument nor in an earlier result.
  bool hasOwnMemory(size_t result) const {
    BufferRef buffer = results[result].buffer;
    return buffer.kind == BufferRef::Kind::Result && buffer.index == result;
  }
  /// Of all launch variants together.
  size_t getNumLaunches() const {
    return launchVariants.empty() ? 0
                                  : launchVariants.back().firstLaunch +
                                        launchVariants.back().launches.size();
  }
  /// The contents, or null where there is no such file.
  const std::string *findCode(std::string_view kind) const;
};

struct PackageData;

} // namespace sparse_attn::runtime

/// All variants of one function; they agree on what it takes and gives.
struct SparseAttnFunction {
  const sparse_attn::runtime::PackageData *package;
  std::string name;
  std::vector<std::unique_ptr<sparse_attn::runtime::Variant>> variants;

  const sparse_attn::runtime::Variant &interface() const {
    return *variants.front();
  }
};

namespace sparse_attn::runtime {

struct PackageData : std::enable_shared_from_this<PackageData> {
  std::string sha256; ///< of manifest.json, which has that of every other file
  std::vector<std::unique_ptr<SparseAttnFunction>> functions;
};

/// What the text of a manifest says, without the files. Throws UNKNOWN_SCHEMA
/// and CORRUPT_PACKAGE.
std::vector<std::unique_ptr<Variant>> parseManifest(const std::string &text);

/// Throws these and FILE_ERROR.
std::shared_ptr<const PackageData> openPackage(const std::string &directory);

/// "f16" and so on.
const char *getTypeName(SparseAttnType type);
int64_t getTypeBytes(SparseAttnType type);

} // namespace sparse_attn::runtime

#endif // SPARSEATTN_LIB_RUNTIME_PACKAGE_H
